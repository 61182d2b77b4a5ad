"""From X alone to any platform: ids as text of any length, jobs, stored files, and a place for what one platform has."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models import CASCADE, CharField, F
from django.db.models.functions import Cast

PROCESSING = timedelta(seconds=2)  # what X took for a video before


def fill(apps, _schema_editor):
    """Give what is there its place in the new columns; all of it is X's."""
    post, upload = apps.get_model("sandbox", "Post"), apps.get_model("sandbox", "Upload")
    post.objects.update(remote_id=Cast(F("id"), CharField()))
    upload.objects.update(file=F("platform_media_id"), ready_at=F("finished_at"))
    moving = upload.objects.filter(finished_at__isnull=False).exclude(
        mime_type__in=("image/jpeg", "image/png", "image/webp")
    )
    moving.update(ready_at=F("finished_at") + PROCESSING)


def text(**options):
    return models.CharField(max_length=255, **options)


def data():
    return models.JSONField(default=dict)


# SQLite keeps no lengths, so that nothing is to be done to a table
LONGER = [
    migrations.AlterField("account", "handle", text()),
    migrations.AlterField("account", "name", text()),
    migrations.AlterField("account", "platform_account_id", text()),
    migrations.AlterField("grant", "client_id", text()),
    migrations.AlterField("upload", "mime_type", models.CharField(max_length=100)),
    migrations.AlterField("upload", "alt_text", models.TextField(default="")),
    migrations.AlterField("ratewindow", "endpoint", models.CharField(max_length=100)),
    migrations.AlterField("call", "handle", text(default="")),
    migrations.AlterField("call", "post_id", text(default="")),
]


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_post_hidden_until")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=LONGER),
        # what these hold is over in ten minutes
        migrations.DeleteModel("ConsentPage"),
        migrations.DeleteModel("AuthorizationCode"),
        migrations.CreateModel(
            name="ConsentPage",
            fields=[
                ("nonce", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("platform", models.CharField(default="x", max_length=20)),
                ("client_id", text()),
                ("redirect_uri", models.TextField()),
                ("scope", models.TextField()),
                ("state", models.TextField()),
                ("code_challenge", models.CharField(max_length=128)),
                ("shown_at", models.DateTimeField()),
                ("data", data()),
            ],
        ),
        migrations.CreateModel(
            name="AuthorizationCode",
            fields=[
                ("code_sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("platform", models.CharField(default="x", max_length=20)),
                ("client_id", text()),
                ("redirect_uri", models.TextField()),
                ("scope", models.TextField()),
                ("code_challenge", models.CharField(max_length=128)),
                ("expires_at", models.DateTimeField()),
                ("data", data()),
                ("account", models.ForeignKey(on_delete=CASCADE, to="sandbox.account")),
            ],
        ),
        migrations.AddField("account", "data", data()),
        migrations.AlterField("grant", "access_expires_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "refresh_expires_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "issued_at", models.DateTimeField(null=True)),
        migrations.AddField("grant", "data", data()),
        migrations.RenameField("upload", "broken", "fails"),
        migrations.AlterField("upload", "platform_media_id", text()),
        migrations.AddField("upload", "file", models.CharField(max_length=64, default="")),
        migrations.AddField("upload", "ready_at", models.DateTimeField(null=True)),
        migrations.AddField("upload", "data", data()),
        migrations.AddField("post", "remote_id", text(default="")),
        migrations.AddField("post", "kind", models.CharField(max_length=20, default="post")),
        migrations.AddField("post", "data", data()),
        migrations.AddField("call", "caller", models.CharField(max_length=20, default="")),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("post", "remote_id", text()),
        migrations.AlterField("upload", "file", models.CharField(max_length=64, unique=True)),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.CharField(max_length=20)),
                ("kind", models.CharField(max_length=30)),
                ("remote_id", text()),
                ("state", models.CharField(max_length=30)),
                ("ready_at", models.DateTimeField(null=True)),
                ("fails", models.BooleanField(default=False)),
                ("data", data()),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("account", models.ForeignKey(null=True, on_delete=CASCADE, to="sandbox.account")),
            ],
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField(unique=True)),
                ("file", models.CharField(max_length=64, unique=True)),
                ("mime_type", models.CharField(max_length=100)),
                ("size_bytes", models.BigIntegerField()),
                ("stored_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            "job", models.UniqueConstraint(fields=("platform", "kind", "remote_id"), name="job_remote_id")
        ),
        migrations.AddIndex("upload", models.Index(fields=["platform_media_id"], name="upload_platform_id")),
        migrations.AddConstraint(
            "upload",
            models.UniqueConstraint(fields=("account", "platform_media_id"), name="upload_account_platform_id"),
        ),
        migrations.AddIndex("post", models.Index(fields=["remote_id"], name="post_remote_id")),
        migrations.AddConstraint(
            "post",
            models.UniqueConstraint(
                fields=("account", "remote_id"), condition=models.Q(deleted_at=None), name="post_account_remote_id"
            ),
        ),
    ]
