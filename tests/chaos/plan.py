"""What happens in a history: all of it follows from the seed, but for who is faster."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from tests.chaos.draws import draw_nemesis
from tests.chaos.orders import ACCOUNTS, ActionPlan, Cut, Fault, Plan, PostPlan, Strike
from tests.chaos.vendors import NAMES, VENDORS, Vendor


def make_plan(seed: int, *, platform: str = "") -> Plan:
    """Draw a history.

    Args:
        platform: as the seed says when left out.
    """
    dice = random.Random(seed)
    vendor = VENDORS[platform or NAMES[seed % len(NAMES)]]
    posts = _draw_posts(dice, seed, vendor)
    nemeses = [nemesis for _ in range(dice.randint(1, 3)) for nemesis in draw_nemesis(dice, vendor)]
    return Plan(
        seed=seed,
        platform=vendor.name,
        witness="none" if seed // 10 % 5 == 4 else "own",  # in rows, like rivals
        forgiving=dice.random() < 0.6,
        rival=seed // 12 % 5 == 3,  # in rows, because a worker takes a second to start
        posts=posts,
        actions=_draw_actions(dice, posts),
        strikes=[one for one in nemeses if isinstance(one, Strike)],
        cuts=[one for one in nemeses if isinstance(one, Cut)],
        faults=[one for one in nemeses if isinstance(one, Fault)],
    )


def _draw_posts(dice: random.Random, seed: int, vendor: Vendor) -> list[PostPlan]:
    accounts = dice.sample(range(ACCOUNTS), dice.randint(5, 8))
    accounts += dice.sample(accounts, dice.randint(1, 2))  # two of one account: one waits for the other
    return [
        PostPlan(
            name=f"p{number}",
            account=account,
            texts=_texts(seed, f"p{number}", parts=dice.choice(vendor.parts)),
            due_in=round(dice.uniform(0.15, 1.1), 2),
            media=dice.choice(vendor.media),
            options=dice.choice(vendor.options),
        )
        for number, account in enumerate(accounts)
    ]


def _draw_actions(dice: random.Random, posts: Sequence[PostPlan]) -> list[ActionPlan]:
    actions: list[ActionPlan] = []
    for post in dice.sample(list(posts), dice.randint(1, 3)):
        after = max(0.05, post.due_in + dice.uniform(-0.25, 0.35))  # around its claim
        texts = _texts(posts_seed(post), f"{post.name}e", parts=len(post.texts))
        match dice.choice(("edit", "edit", "cancel", "cancel", "reschedule", "withdraw")):
            case "edit":
                drawn = [ActionPlan(after, "edit", post.name, texts, approves=True)]
            case "cancel":
                drawn = [ActionPlan(after, "cancel", post.name)]
            case "reschedule":
                due_in = dice.choice((0.4, 0.9, 86400.0))
                drawn = [ActionPlan(after, "reschedule", post.name, due_in=due_in, approves=True)]
            case _:  # the yes is withdrawn by an edit without one, and given again, or not
                early = max(0.02, after - 0.3)
                again = ActionPlan(early + 0.15, "reschedule", post.name, due_in=0.5, approves=True)
                drawn = [ActionPlan(early, "edit", post.name, texts), again][: dice.choice((1, 2, 2))]
        actions += [_as_process(dice, action) if dice.random() < 0.15 else action for action in drawn]
    return actions


def _as_process(dice: random.Random, action: ActionPlan) -> ActionPlan:
    """A real command, which takes a third of a second to start; some are killed on their way."""
    killed_after = round(dice.uniform(0.25, 0.6), 2) if dice.random() < 0.5 else 0.0
    return replace(action, after=max(0.02, action.after - 0.3), as_process=True, killed_after=killed_after)


def posts_seed(post: PostPlan) -> int:
    """Give the seed that a post's texts name."""
    return int(post.texts[0].split()[1])


def _texts(seed: int, name: str, *, parts: int) -> tuple[str, ...]:
    """Texts that exist once in the world."""
    return tuple(f"History {seed} {name}, part {number + 1} of {parts}" for number in range(parts))
