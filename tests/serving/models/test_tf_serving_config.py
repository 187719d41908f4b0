"""TensorFlow Serving's configuration files, laid out as a repository."""

import pytest
import yaml

from serving.errors import ModelRejected
from serving.models.tf_serving_config import layout_of, read_config

TEXT = """
# As in https://www.tensorflow.org/tfx/serving/serving_config
model_config_list {
  config { name: 'newest' base_path: '%(here)s/one' model_platform: 'tensorflow' }
  config {
    name: 'some' base_path: '%(here)s/other'
    model_version_policy { specific { versions: 42 versions: 43 } }
    version_labels { key: 'stable' value: 43 }
    version_labels { key: 'canary' value: 44 }
  }
  config { name: 'latest' base_path: '%(here)s/other' model_version_policy { latest { num_versions: 2 } } }
  config { name: 'every' base_path: '%(here)s/other' model_version_policy { all {} } }
}
"""


@pytest.fixture
def here(tmp_path):
    """A place with two base paths and an empty root."""
    for name in ("one/7", "other/42", "root"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def laid_out(here, text):
    path = here / "models.config"
    path.write_text(text % {"here": here})
    layout_of(read_config(path)).write(here / "root")
    return here / "root"


def test_every_model_is_found_under_its_name_wherever_it_lies(here):
    root = laid_out(here, TEXT)
    versions = {path.name: [each.name for each in path.iterdir()] for path in root.iterdir() if path.is_dir()}
    assert versions == {"newest": ["7"], "some": ["42"], "latest": ["42"], "every": ["42"]}


def test_policies_and_labels_become_those_of_models_yaml(here):
    declared = yaml.safe_load((laid_out(here, TEXT) / "models.yaml").read_text())
    assert declared == {
        "models": {
            "some": {"versions": {"specific": [42, 43]}},
            "latest": {"versions": {"latest": 2}},
            "every": {"versions": "all"},
        },
        "labels": {"some": {"stable": 43, "canary": 44}},
    }


ONE = "model_config_list { config { %s } }"
REFUSED = {
    "no text format": "models: [1]",
    "no models": "model_config_list {}",
    "a model without a name": ONE % "base_path: '%(here)s/one'",
    "a name that leads elsewhere": ONE % "name: '../one' base_path: '%(here)s/one'",
    "the name of the directory above": ONE % "name: '..' base_path: '%(here)s/one'",
    "two models of one name": "model_config_list {" + "config { name: 'one' base_path: '%(here)s/one' }" * 2 + "}",
    "a base path that is not there": ONE % "name: 'one' base_path: '%(here)s/three'",
    "a base path in a store": ONE % "name: 'one' base_path: 's3://bucket/one'",
    "another platform": ONE % "name: 'one' base_path: '%(here)s/one' model_platform: 'caffe'",
    "a label of no version": ONE % "name: 'one' base_path: '%(here)s/one' version_labels { key: 'stable' value: 0 }",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_configuration_that_makes_no_sense_is_refused(here, text):
    with pytest.raises(ModelRejected):
        laid_out(here, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelRejected, match="cannot be read"):
        read_config(tmp_path / "models.config")
