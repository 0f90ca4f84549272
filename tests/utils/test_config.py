import copy
import pickle

import keras
import pytest

import cornu


@pytest.mark.parametrize("module", [cornu, keras])
def test_both_configs_do_the_same(module):
    config = module.utils.Config(learning_rate=0.1, beta=0.9)
    config.seed = 3
    config["alpha"] = None
    config.update({"beta": 0.8}, gamma=1)
    assert (config.seed, config["seed"], config.get("nothing", 5), config.pop("gamma")) == (3, 3, 5, 1)
    assert list(config) == ["alpha", "beta", "learning_rate", "seed"]
    assert list(config.keys()) == ["learning_rate", "beta", "seed", "alpha"]
    assert list(config.items())[:2] == [("learning_rate", 0.1), ("beta", 0.8)]
    assert list(config.values())[-1] is None
    assert (len(config), "seed" in config, "gamma" in config) == (4, True, False)
    assert config.to_json() == '{"learning_rate": 0.1, "beta": 0.8, "seed": 3, "alpha": null}'
    assert repr(config) == "<Config {'learning_rate': 0.1, 'beta': 0.8, 'seed': 3, 'alpha': None}>"
    values = config.as_dict()
    values["seed"] = 4
    assert config.seed == 3
    del config["alpha"]
    config.freeze()
    assert config.frozen
    for change in (
        lambda: setattr(config, "seed", 4),
        lambda: config.update(seed=4),
        lambda: config.pop("seed"),
        lambda: config.__delitem__("seed"),
    ):
        with pytest.raises(ValueError, match="frozen"):
            change()
    config.unfreeze()
    config.seed = 5
    assert config.seed == 5
    with pytest.raises(AttributeError, match=r"sed.*Did you mean 'seed'\?"):
        config.sed  # noqa: B018


def test_names_of_methods_are_set_as_items():
    config = cornu.utils.Config()
    with pytest.raises(AttributeError, match=r"set config\['items'\] instead"):
        config.items = 3
    config["items"] = 3
    assert config.as_dict() == {"items": 3}


def test_copies():
    config = cornu.utils.Config(a=[1])
    config.freeze()
    for again in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert again == config
        assert again.frozen
