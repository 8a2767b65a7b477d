from fleetglass.cli.configuration.arguments import Parser, add_keys, key_arguments


def test_arguments_for_a_child() -> None:
    """What was given and belongs to a part is given on; the rest is not."""
    parser = Parser()
    add_keys(parser, "agent", "bridge")
    words = ["--port", "80", "--host-id=web-1", "--prefix", "a", "--insecure", "--no-auth", "--config", "f"]
    given = vars(parser.parse_args(words))
    assert key_arguments(given, "agent") == ["--config", "f", "--prefix=a", "--insecure", "--host-id=web-1"]
    assert key_arguments(given, "bridge") == [
        "--config",
        "f",
        "--prefix=a",
        "--insecure",
        "--port=80",
        "--no-auth",
    ]


def test_child_reads_the_same() -> None:
    """A value that looks like an option survives the way to the child."""
    parser = Parser()
    add_keys(parser, "agent")
    given = parser.parse_args(["--tag=-x", "--tag=b", "--broker=mqtt://h"])
    again = parser.parse_args(key_arguments(vars(given), "agent"))
    assert again == given


def test_secrets_are_no_arguments() -> None:
    """No argument takes a password or a token: every user of a machine sees the arguments of all."""
    parser = Parser()
    add_keys(parser, "agent", "bridge", "simulate", "watch")
    options = {option for action in parser._actions for option in action.option_strings}
    assert not options & {"--password", "--token", "--private-key", "--ca", "--certificate"}
    assert {"--password-file", "--token-file"} <= options
