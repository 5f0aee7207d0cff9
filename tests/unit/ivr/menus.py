"""Flows for tests, in few words."""

from service.ivr.flow import Action, Flow, Option


def option(key, action, target=None, phrases=()):
    return Option(key, Action(action), target, tuple(phrases))


def flow(name, *options, **more):
    """A flow whose id is `ivr_` and its name; options as `("1", "ivr", "ivr_b")`."""
    menu = tuple(each if isinstance(each, Option) else option(*each) for each in options)
    return Flow(f"ivr_{name}", name, 1, greeting=f"Menu {name}.", options=menu, **more)


def by_id(*flows):
    return {each.id: each for each in flows}
