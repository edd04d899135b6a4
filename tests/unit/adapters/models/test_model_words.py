"""Which names, prose and labels say that a model guesses somebody's age, sex, race or emotion."""

from __future__ import annotations

import pytest

from openlfr.adapters.models.attribute_words import find_attribute, find_labels


def words(text):
    return text.split()


HEADS = words("""
age Age AGE ages age2 age_18 agenet AgeNet AGENet ageNet agenets AgeNetV2 agenetv2 imdb_ages
imdbages ImdbAges imdb-wiki imdb_wiki face_age faceage FaceAge PersonAge personAges apparentage
RealAge ageestimation AgeEstimator ageprob agelogits age_head headAge age_googlenet dex_agemodel
ssrnet c3ae genderage gender_net GenderNet gendernet genders agegender AgeGenderNet
levi_age_gender sex sexes sexnet SexNet facesex male isFemale malefemale race races racenet
RaceNet facerace race_logits RacialHead fairface FairFace fair_face fairface_7 ethnic ethnicity
ethnicities EthnicityNet skin_tone skinColor emotion emotions emotion_ferplus EmotionFerPlus
emotionnet faceemotion hsemotion ferplus FERPlus fer fer2013_resnet affectnet_8 AffectNet raf-db
utkface sentiment facial_expression_recognition expressions attributes person_attr face_attrs
FaceAttr celeba_attributes mivolo howold years_old year-old vgg_ilsvrc_16_age_imdb_wiki
demographics masculinity \uff41\uff47\uff45
""")

INNOCENT = words("""
page pages image images imagenet ImageNet stage stages stage1_unit1_conv1 average averaged
averagepool GlobalAveragePool agent agents agentnet manage manager usage sexagesimal storage
message language package passage coverage engage voltage percentage mileage dosage outage
personage postage footage visage courage advantage mortgage cage wage sage eager agenda agency
aged trace traces traceback tracing brace embrace grace terrace bracelet racer tracenet essex
sussex sextant sextet unisex asexual bissextile template w600k_r50 fc1 minusscalar0 pre_fc1
softmax regression compression suppression demotion promotion locomotion motion facemotion
framemotion face_motion motionnet agedb AgeDB_30 agedb30 cross_age age_invariant AgeInvariant
race_condition malformed emailnet femtonet gendarme calendar sender bender transformer offer
buffer attrition traitor impressionnet embedding face_recognition_sface arcface adaface magface
buffalo
""")


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_recognised_by_its_name(name):
    assert find_attribute(name)


@pytest.mark.parametrize("name", INNOCENT)
def test_a_word_that_merely_looks_like_it_passes(name):
    assert find_attribute(name) is None


@pytest.mark.parametrize(
    "prose",
    [
        "Predicts the age and gender of a face.",
        "Facial expression recognition, seven classes",
        "pedestrian attributes",
        "apparent ages, trained on IMDB-WIKI",
        "tells whether a person is male or not",
    ],
)
def test_a_description_that_mentions_a_guess_is_recognised(prose):
    assert find_attribute(prose, prose=True)


@pytest.mark.parametrize(
    "prose",
    [
        "Face recognition; AgeDB-30 98.2, cross-age LFW 95.9, averaged over all stages.",
        "torch/nn/modules/module.py(1195): __getattribute__ of the message, page 4",
        "An expression of the graph's attributes, see the ONNX operator's attribute list.",
    ],
)
def test_prose_of_a_face_recogniser_passes(prose):
    assert find_attribute(prose, prose=True) is None
    assert find_labels(prose) is None


@pytest.mark.parametrize(
    "labels",
    [
        "man, woman",
        "['Men', 'Women']",
        "{0: 'happy', 1: 'sad', 2: 'neutral'}",
        "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt",
        "White,Black,Latino_Hispanic,East Asian,Southeast Asian,Indian,Middle Eastern",
        "asian, black",
        "young, old",
        "child teenager adult senior",
        "0-2,3-9,10-19,20-29,30-39,40-49,50-59,60-69,70+",
        "(0, 2), (4, 6), (8, 12), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100)",
    ],
)
def test_class_labels_reveal_the_guessed_attribute(labels):
    assert find_labels(labels)


@pytest.mark.parametrize(
    "labels",
    [
        "black and white",
        "face, no face",
        "old graph, child node",
        "1, 2, 4, 8, 16, 32, 64, 128",
        "(1, 3, 112, 112)",
        "8-bit, 16-bit",
        "2023-11-01, 2024-12-31",
        "0.1-0.2, 0.3-0.4, 0.5-0.6, 0.7-60.0",
        "real, spoof",
    ],
)
def test_other_labels_pass(labels):
    assert find_labels(labels) is None
