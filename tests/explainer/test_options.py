import pytest

from contract.errors import InvalidTensors
from explainer.options import METHODS, read_options


def test_everything_has_a_default() -> None:
    """An empty object asks for Shapley values by seed 0, without the graph."""
    options = read_options({})
    assert options.model_dump() == {
        "method": "shap",
        "seed": 0,
        "samples": 768,
        "precision": 0.95,
        "graph": False,
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "shap", "samples": 64},
        {"samples": 4096, "seed": 2**32 - 1},
        {"method": "anchor", "precision": 0.5, "seed": 0, "graph": True},
        {"method": "anchor", "precision": 0.99},
    ],
)
def test_what_is_given_is_taken(parameters: dict[str, object]) -> None:
    """Values up to their bounds are the options; what is not given keeps its default."""
    options = read_options(parameters).model_dump()
    assert parameters.items() <= options.items()
    assert (read_options({}).model_dump() | parameters) == options


@pytest.mark.parametrize("method", METHODS)
def test_each_method_can_be_asked_for(method: str) -> None:
    """The methods that are listed are those that are read."""
    assert read_options({"method": method}).method == method


@pytest.mark.parametrize(
    ("parameters", "expected", "got"),
    [
        ({"method": "lime"}, "'shap' or 'anchor'", "'lime'"),
        ({"method": "SHAP"}, "'shap' or 'anchor'", "'SHAP'"),
        ({"method": None}, "'shap' or 'anchor'", "None"),
        ({"seed": -1}, "greater than or equal to 0", "-1"),
        ({"seed": 2**32}, "less than 4294967296", "4294967296"),
        ({"seed": "1"}, "valid integer", "'1'"),
        ({"seed": 1.0}, "valid integer", "1.0"),
        ({"seed": True}, "valid integer", "True"),
        ({"samples": 63}, "greater than or equal to 64", "63"),
        ({"samples": 4097}, "less than or equal to 4096", "4097"),
        ({"samples": True}, "valid integer", "True"),
        ({"samples": [64]}, "valid integer", "[64]"),
        ({"method": "anchor", "precision": 0.49}, "greater than or equal to 0.5", "0.49"),
        ({"method": "anchor", "precision": 1.0}, "less than or equal to 0.99", "1.0"),
        ({"method": "anchor", "precision": float("nan")}, "less than or equal to 0.99", "nan"),
        ({"method": "anchor", "precision": "0.9"}, "valid number", "'0.9'"),
        ({"method": "anchor", "precision": True}, "valid number", "True"),
        ({"graph": 1}, "valid boolean", "1"),
        ({"graph": "true"}, "valid boolean", "'true'"),
    ],
)
def test_a_bad_value_is_refused_by_name(parameters: dict[str, object], expected: str, got: str) -> None:
    """The caller reads which parameter it was, what it may be and what came; nothing is converted."""
    name = list(parameters)[-1]
    with pytest.raises(InvalidTensors) as refusal:
        read_options(parameters)
    message = str(refusal.value)
    assert message.startswith(f"parameters.{name}: ")
    assert expected in message
    assert message.endswith(f", got {got}")
    assert "\n" not in message


def test_an_unknown_parameter_is_refused_with_those_there_are() -> None:
    """A misspelt parameter is not ignored: the caller reads the right names."""
    with pytest.raises(InvalidTensors) as refusal:
        read_options({"sede": 1})
    message = str(refusal.value)
    assert message == "parameters: expected method, seed, samples, precision, graph, got 'sede'"


@pytest.mark.parametrize(
    ("parameters", "name", "method"),
    [
        ({"method": "anchor", "samples": 64}, "samples", "shap"),
        ({"method": "shap", "precision": 0.9}, "precision", "anchor"),
        ({"precision": 0.95}, "precision", "anchor"),
    ],
)
def test_a_parameter_of_the_other_method_is_refused(
    parameters: dict[str, object], name: str, method: str
) -> None:
    """What would be ignored is refused, also where it is the default."""
    with pytest.raises(InvalidTensors, match=rf"^parameters\.{name}: only method '{method}' has it, got "):
        read_options(parameters)


@pytest.mark.parametrize(
    ("parameters", "kind"), [(None, "NoneType"), ([], "list"), ("shap", "str"), (1, "int")]
)
def test_parameters_are_an_object(parameters: object, kind: str) -> None:
    """Anything else is refused by its type."""
    with pytest.raises(InvalidTensors, match=f"^parameters: expected an object, got {kind}$"):
        read_options(parameters)


def test_a_long_value_is_not_echoed_whole() -> None:
    """A refusal stays short, whatever was sent."""
    for parameters in ({"method": "x" * 10_000}, {"x" * 10_000: 1}, {"seed": ["x"] * 10_000}):
        with pytest.raises(InvalidTensors) as refusal:
            read_options(parameters)
        assert len(str(refusal.value)) < 300
