import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import Law, OwnedForeignKey, SecureTable
from hub.rls.policies import Grant, Policy, granted, owned

POSTS_START = """
  IF NEW.status <> 'draft' OR NEW.fence <> 0 OR NEW.tries <> 0 THEN
    RAISE EXCEPTION 'a post starts as a draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_start_as_drafts';
  END IF;
  RETURN NEW;
"""

# PUB-2. Published and cancelled are terminal; what is being published can only end or go back to wait.
POSTS_CHANGE = """
  IF NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.account_id <> OLD.account_id OR NEW.fence < OLD.fence THEN
    RAISE EXCEPTION 'a post keeps its id, owner and account, and its fence only rises'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_change_legally';
  END IF;
  IF NEW.status <> OLD.status AND (OLD.status || ' ' || NEW.status) NOT IN (
    'draft pending_approval', 'draft approved', 'draft scheduled', 'draft cancelled',
    'pending_approval draft', 'pending_approval approved', 'pending_approval cancelled',
    'approved draft', 'approved scheduled', 'approved cancelled',
    'scheduled draft', 'scheduled publishing', 'scheduled cancelled', 'scheduled missed',
    'publishing published', 'publishing delivered', 'publishing failed', 'publishing scheduled', 'publishing unknown',
    'unknown published', 'unknown scheduled', 'unknown failed', 'delivered published',
    'failed draft', 'failed cancelled', 'missed draft', 'missed cancelled')
  THEN
    RAISE EXCEPTION 'a post cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_change_legally';
  END IF;
  IF OLD.status <> 'draft' AND NEW.status <> 'draft'
    AND (NEW.content_hash, NEW.scheduled_at) IS DISTINCT FROM (OLD.content_hash, OLD.scheduled_at)
  THEN
    RAISE EXCEPTION 'content changes only in a draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_change_legally';
  END IF;
  IF OLD.status = 'scheduled' AND NEW.status = 'publishing' AND NEW.fence <> OLD.fence + 1 THEN
    RAISE EXCEPTION 'a claim raises the fence by one' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_change_legally';
  END IF;
  IF NEW.status = 'published' AND OLD.status <> 'published' AND (
    NOT EXISTS (SELECT FROM post_parts p WHERE p.post_id = NEW.id)
    OR EXISTS (SELECT FROM post_parts p WHERE p.post_id = NEW.id AND p.state <> 'published'))
  THEN
    RAISE EXCEPTION 'published needs the remote id of every part'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_published_has_remote_ids';
  END IF;
  RETURN NEW;
"""

# What was approved stays as it was (POST-4); what is live stays on record. FOR SHARE waits for a change of state under way.
PARTS_FROZEN = """
  IF TG_OP <> 'INSERT' AND OLD.platform_post_id <> '' THEN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.user_id, NEW.post_id, NEW.index, NEW.kind, NEW.text, NEW.platform_post_id)
      IS DISTINCT FROM (OLD.id, OLD.user_id, OLD.post_id, OLD.index, OLD.kind, OLD.text, OLD.platform_post_id)
    THEN
      RAISE EXCEPTION 'a part that is live stays on record' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_parts_are_frozen';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.user_id, NEW.post_id, NEW.index, NEW.kind, NEW.text)
    IS NOT DISTINCT FROM (OLD.id, OLD.user_id, OLD.post_id, OLD.index, OLD.kind, OLD.text)
  THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.post_id <> OLD.post_id THEN
    RAISE EXCEPTION 'a part stays with its post' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_parts_are_frozen';
  END IF;
  PERFORM FROM posts p WHERE p.id = CASE TG_OP WHEN 'DELETE' THEN OLD.post_id ELSE NEW.post_id END AND p.status = 'draft' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'parts change only while the post is a draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_parts_are_frozen';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
"""
MEDIA_FROZEN = """
  IF TG_OP = 'UPDATE' AND NEW.part_id <> OLD.part_id THEN
    RAISE EXCEPTION 'a medium stays with its part' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_media_are_frozen';
  END IF;
  PERFORM FROM posts p JOIN post_parts q ON q.post_id = p.id
    WHERE q.id = CASE TG_OP WHEN 'DELETE' THEN OLD.part_id ELSE NEW.part_id END AND p.status = 'draft' FOR SHARE OF p;
  IF NOT FOUND AND EXISTS (SELECT FROM post_parts q WHERE q.id = CASE TG_OP WHEN 'DELETE' THEN OLD.part_id ELSE NEW.part_id END) THEN
    RAISE EXCEPTION 'media change only while the post is a draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_media_are_frozen';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
"""

# A commit call needs a claim that still stands, with its intent phase written, and a part that is not live yet.
ATTEMPT_FENCED = """
  IF NEW.kind = 'commit' AND NOT EXISTS (
    SELECT FROM posts p JOIN post_parts q ON q.post_id = p.id
    WHERE p.id = NEW.post_id AND q.id = NEW.part_id AND p.status = 'publishing' AND p.phase = 'sending'
      AND p.fence = NEW.fence AND q.platform_post_id = '')
  THEN
    RAISE EXCEPTION 'a commit attempt needs the standing claim of its post'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'attempts_hold_the_fence';
  END IF;
  RETURN NEW;
"""
ATTEMPT_CLOSED = """
  IF OLD.finished_at IS NOT NULL OR (NEW.id, NEW.user_id, NEW.post_id, NEW.part_id, NEW.kind, NEW.fence, NEW.worker, NEW.fingerprint, NEW.started_at)
    IS DISTINCT FROM (OLD.id, OLD.user_id, OLD.post_id, OLD.part_id, OLD.kind, OLD.fence, OLD.worker, OLD.fingerprint, OLD.started_at)
  THEN
    RAISE EXCEPTION 'an attempt is closed once and never rewritten' USING ERRCODE = 'check_violation', CONSTRAINT = 'attempts_close_once';
  END IF;
  RETURN NEW;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0002_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Post",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("draft", "Draft"),
                            ("pending_approval", "Pending Approval"),
                            ("approved", "Approved"),
                            ("scheduled", "Scheduled"),
                            ("publishing", "Publishing"),
                            ("published", "Published"),
                            ("failed", "Failed"),
                            ("missed", "Missed"),
                            ("unknown", "Unknown"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                    ),
                ),
                ("scheduled_at", models.DateTimeField(null=True)),
                ("scheduled_zone", models.TextField(blank=True, default="")),
                ("scheduled_wall", models.TextField(blank=True, default="")),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "phase",
                    models.TextField(blank=True, choices=[("claimed", "Claimed"), ("sending", "Sending")], default=""),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                ("lease_owner", models.TextField(blank=True, default="")),
                ("fence", models.BigIntegerField(default=0)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("content_hash", models.TextField()),
                ("approved_hash", models.TextField(blank=True, default="")),
                ("approved_by", models.TextField(blank=True, default="")),
                ("approved_at", models.DateTimeField(null=True)),
                ("platform_post_id", models.TextField(blank=True, default="")),
                ("url", models.TextField(blank=True, default="")),
                ("published_at", models.DateTimeField(null=True)),
                ("error_code", models.TextField(blank=True, default="")),
                ("error_message", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="hub.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "posts",
            },
        ),
        migrations.CreateModel(
            name="PostPart",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("index", models.PositiveIntegerField()),
                ("kind", models.TextField(choices=[("post", "Post"), ("comment", "Comment")], default="post")),
                ("text", models.TextField(blank=True)),
                (
                    "state",
                    models.TextField(choices=[("waiting", "Waiting"), ("published", "Published")], default="waiting"),
                ),
                ("platform_post_id", models.TextField(blank=True, default="")),
                ("url", models.TextField(blank=True, default="")),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="parts",
                        to="hub.post",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "post_parts",
                "ordering": ["index"],
            },
        ),
        migrations.CreateModel(
            name="PostMedia",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("index", models.PositiveIntegerField()),
                ("path", models.TextField()),
                ("sha256", models.TextField()),
                ("mime_type", models.TextField()),
                ("size_bytes", models.BigIntegerField()),
                ("alt_text", models.TextField(blank=True, default="")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="media",
                        to="hub.postpart",
                    ),
                ),
            ],
            options={
                "db_table": "post_media",
                "ordering": ["index"],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.TextField(
                        choices=[("upload", "Upload"), ("commit", "Commit"), ("probe", "Probe"), ("delete", "Delete")]
                    ),
                ),
                ("fence", models.BigIntegerField()),
                ("worker", models.TextField()),
                ("fingerprint", models.TextField()),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.TextField(
                        blank=True,
                        choices=[
                            ("ok", "Ok"),
                            ("refused", "Refused"),
                            ("not_sent", "Not Sent"),
                            ("limited", "Limited"),
                            ("unknown", "Unknown"),
                        ],
                        default="",
                    ),
                ),
                ("remote_id", models.TextField(blank=True, default="")),
                ("http_status", models.PositiveIntegerField(null=True)),
                ("request_id", models.TextField(blank=True, default="")),
                ("retry_at", models.DateTimeField(null=True)),
                ("detail", models.TextField(blank=True, default="")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="attempts",
                        to="hub.post",
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="hub.postpart",
                    ),
                ),
            ],
            options={
                "db_table": "attempts",
                "ordering": ["started_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("user"), models.OrderBy(models.F("created_at"), descending=True), name="posts_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(models.F("due_at"), condition=models.Q(("status", "scheduled")), name="posts_due"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("lease_until"), condition=models.Q(("status", "publishing")), name="posts_lease"
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.UniqueConstraint(fields=("user", "id"), name="posts_owner_key"),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "publishing")), fields=("account",), name="posts_one_in_flight"
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "draft",
                            "pending_approval",
                            "approved",
                            "scheduled",
                            "publishing",
                            "published",
                            "failed",
                            "missed",
                            "unknown",
                            "delivered",
                            "cancelled",
                        ],
                    )
                ),
                name="posts_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lease_until__isnull", False),
                        ("phase__in", ["claimed", "sending"]),
                        ("status", "publishing"),
                        models.Q(("lease_owner", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "publishing"), _negated=True),
                        ("lease_owner", ""),
                        ("lease_until__isnull", True),
                        ("phase", ""),
                    ),
                    _connector="OR",
                ),
                name="posts_publishing_has_lease",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["scheduled", "publishing", "published"]), _negated=True),
                    models.Q(
                        ("due_at__gte", models.F("scheduled_at")),
                        ("due_at__isnull", False),
                        ("scheduled_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="posts_scheduled_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status__in", ["approved", "scheduled", "publishing", "published", "unknown", "delivered"]),
                        _negated=True,
                    ),
                    models.Q(
                        ("approved_hash", models.F("content_hash")), models.Q(("approved_hash", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="posts_approved_content",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "published"), _negated=True),
                    models.Q(models.Q(("platform_post_id", ""), _negated=True), ("published_at__isnull", False)),
                    _connector="OR",
                ),
                name="posts_published_has_remote_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="postpart",
            constraint=models.UniqueConstraint(fields=("user", "post", "index"), name="post_parts_one_per_index"),
        ),
        migrations.AddConstraint(
            model_name="postpart",
            constraint=models.UniqueConstraint(fields=("user", "id"), name="post_parts_owner_key"),
        ),
        migrations.AddConstraint(
            model_name="postpart",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["post", "comment"])), name="post_parts_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="postpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", False),
                        ("state", "published"),
                        models.Q(("platform_post_id", ""), _negated=True),
                    ),
                    models.Q(("platform_post_id", ""), ("state", "waiting")),
                    _connector="OR",
                ),
                name="post_parts_published_has_remote_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="postmedia",
            constraint=models.UniqueConstraint(fields=("user", "part", "index"), name="post_media_one_per_index"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(models.F("user"), models.F("post"), models.F("started_at"), name="attempts_of_post"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at__isnull", True), ("kind", "commit")),
                fields=("part",),
                name="attempts_one_open_commit",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["upload", "commit", "probe", "delete"])), name="attempts_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at__isnull", True), ("outcome", "")),
                    models.Q(
                        ("finished_at__isnull", False),
                        ("outcome__in", ["ok", "refused", "not_sent", "limited", "unknown"]),
                    ),
                    _connector="OR",
                ),
                name="attempts_closed_has_outcome",
            ),
        ),
        OwnedForeignKey("posts", "account_id", references="accounts"),
        OwnedForeignKey("post_parts", "post_id", references="posts"),
        OwnedForeignKey("post_media", "part_id", references="post_parts", on_delete="CASCADE"),
        OwnedForeignKey("attempts", "post_id", references="posts"),
        OwnedForeignKey("attempts", "part_id", references="post_parts"),
        SecureTable(
            "Post",
            policies=(
                *owned("SELECT", "INSERT", "UPDATE"),
                Policy(name="held_select", command="SELECT", using="status = 'publishing'", groups=("definer",)),
            ),
            grants=(*granted("SELECT", "INSERT", "UPDATE"), Grant("definer", ("SELECT",))),
        ),
        SecureTable(
            "PostPart",
            policies=owned("SELECT", "INSERT", "UPDATE", "DELETE"),
            grants=granted("SELECT", "INSERT", "UPDATE", "DELETE"),
        ),
        SecureTable(
            "PostMedia", policies=owned("SELECT", "INSERT", "DELETE"), grants=granted("SELECT", "INSERT", "DELETE")
        ),
        SecureTable(
            "Attempt", policies=owned("SELECT", "INSERT", "UPDATE"), grants=granted("SELECT", "INSERT", "UPDATE")
        ),
        Law("posts_start_as_drafts", table="posts", events="INSERT", body=POSTS_START),
        Law("posts_change_legally", table="posts", events="UPDATE", body=POSTS_CHANGE),
        Law("post_parts_are_frozen", table="post_parts", events="INSERT OR UPDATE OR DELETE", body=PARTS_FROZEN),
        Law("post_media_are_frozen", table="post_media", events="INSERT OR UPDATE OR DELETE", body=MEDIA_FROZEN),
        Law("attempts_hold_the_fence", table="attempts", events="INSERT", body=ATTEMPT_FENCED),
        Law("attempts_close_once", table="attempts", events="UPDATE", body=ATTEMPT_CLOSED),
    ]
