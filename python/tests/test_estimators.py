import pickle

import numpy as np
import pytest
from conftest import colours, quarters
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import sluice

SMALL = {"filters": (8,), "units": 16, "epochs": 15, "learning_rate": 0.01, "random_state": 0}


# Their data is a few rows of two to ten values, so more epochs than for pictures are needed.
QUICK = {"filters": (8,), "units": 16, "dropout": 0, "epochs": 60, "learning_rate": 0.01}


OTHER_BATCHES = (
    "the order of the images and their batches depend on their number, so weights of 0 and 2 are "
    "not the same, to the bit, as images that are left out or there twice"
)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": OTHER_BATCHES,
}


@parametrize_with_checks(
    [sluice.CNNClassifier(**QUICK), sluice.MixtureOfExpertsClassifier(**QUICK)],
    expected_failed_checks=lambda _: EXPECTED,
)
@pytest.mark.filterwarnings("ignore:.* have no groups", "ignore:x has floats up to")
def test_manners_of_scikit_learn(estimator, check):
    check(estimator)


def test_classes_have_their_names():
    x, y = colours(240)
    names = np.array(["red", "green", "blue"])[y]
    classifier = sluice.CNNClassifier(**SMALL).fit(x, names)
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    test_x, test_y = colours(60, 1)
    assert classifier.score(test_x, np.array(["red", "green", "blue"])[test_y]) > 0.9
    probabilities = classifier.predict_proba(test_x)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (pickle.loads(pickle.dumps(classifier)).predict_proba(test_x) == probabilities).all()
    again = clone(classifier).fit(x, names)
    assert (again.predict_proba(test_x) == probabilities).all()
    rows = sluice.CNNClassifier(**SMALL).fit(x.reshape(240, -1), names)
    assert (rows.predict_proba(test_x.reshape(60, -1)) == probabilities).all()


def test_searches_and_pipelines():
    x, y = colours(120)
    search = GridSearchCV(sluice.CNNClassifier(**SMALL), {"learning_rate": [1e-6, 0.01]}, cv=2)
    assert search.fit(x, y).best_params_ == {"learning_rate": 0.01}
    again = search.set_params(n_jobs=2).fit(x, y)  # in processes of joblib's loky
    assert again.best_params_ == {"learning_rate": 0.01}
    assert cross_val_score(sluice.CNNClassifier(**SMALL), x, y, cv=2).mean() > 0.8
    pipeline = make_pipeline(FunctionTransformer(lambda x: x / 255), sluice.CNNClassifier(**SMALL))
    assert pipeline.fit(x, y).score(x, y) > 0.8


NAMES = np.array(["dark-a", "dark-b", "light-a", "light-b"])


def test_a_mixture_finds_its_groups():
    x, y = quarters(400)
    y = NAMES[y]
    settings = {**SMALL, "epochs": 6}
    classifier = sluice.MixtureOfExpertsClassifier(**settings, validation_fraction=0.2).fit(x, y)
    assert sorted(classifier.groups_.values()) == [["dark-a", "dark-b"], ["light-a", "light-b"]]
    assert classifier.model_.class_names == ["dark-a", "dark-b", "light-a", "light-b"]
    assert list(classifier.history_) == [
        "baseline",
        "expert-dark-a-dark-b",
        "expert-light-a-light-b",
        "gate",
        "mixture",
    ]
    test_x, test_y = quarters(200, 1)
    test_y = NAMES[test_y]
    assert classifier.score(test_x, test_y) > 0.9
    probabilities = classifier.predict_proba(test_x)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    again = clone(classifier).fit(x, y)
    assert (again.predict_proba(test_x) == probabilities).all()
    assert (pickle.loads(pickle.dumps(classifier)).predict_proba(test_x) == probabilities).all()
    verdict = classifier.compare(test_x, test_y)
    assert verdict.figures["mixture"]["accuracy"] == classifier.score(test_x, test_y)
    assert verdict.improved in ("yes", "no", "not shown") and verdict.worth_it != "yes"
    given = sluice.MixtureOfExpertsClassifier(classifier.groups_, **settings).fit(x, y)
    assert given.groups_ == classifier.groups_
    assert len(given.history_["baseline"]["loss"]) == 6


def test_skops_keeps_them():
    files = pytest.importorskip("skops.io")
    x, y = quarters(100)
    groups = {"dark": [0, 1], "light": [2, 3]}
    settings = {**SMALL, "epochs": 1}
    for classifier in (
        sluice.CNNClassifier(**settings),
        sluice.MixtureOfExpertsClassifier(groups, **settings),
    ):
        data = files.dumps(classifier.fit(x, y))
        trusted = files.get_untrusted_types(data=data)
        assert all(name.startswith("sluice.") for name in trusted)
        copy = files.loads(data, trusted=trusted)
        assert (copy.predict_proba(x) == classifier.predict_proba(x)).all()


def test_mistakes_are_told():
    x, y = colours(30)
    with pytest.raises(sluice.UserError, match="image_shape=.4, 4, 3. has 48 values"):
        sluice.CNNClassifier(image_shape=(4, 4, 3)).fit(x.reshape(30, -1), y)
    with pytest.raises(sluice.UserError, match="must be one of adam, adamw, sgd"):
        sluice.CNNClassifier(optimizer="adagrad").fit(x, y)
    with pytest.raises(sluice.UserError, match='groups=.Auto.: must be "auto" or a dict'):
        sluice.MixtureOfExpertsClassifier("Auto", **SMALL).fit(x, y)
    with pytest.raises(sluice.UserError, match="groups have .7., and y has no such class"):
        sluice.MixtureOfExpertsClassifier({"a": [0, 1], "b": [2, 7]}, **SMALL).fit(x, y)
    with pytest.raises(sluice.UserError, match="no group has 2"):
        sluice.MixtureOfExpertsClassifier({"a": [0], "b": [1]}, **SMALL).fit(x, y)
    with pytest.warns(UserWarning, match="3 classes have no groups"):
        alone = sluice.MixtureOfExpertsClassifier(**SMALL).fit(x, y)
    with pytest.raises(sluice.UserError, match="there is no mixture"):
        alone.compare(x, y)
