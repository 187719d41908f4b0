"""Every architecture and what is published of it, as data: read without a framework.

Parameters are the trainable ones and multiply-adds are of one picture, both at the input and
the number of classes given here; tests hold them to the networks that are built.
"""

from typing import NamedTuple

PAPER_INPUT = (224, 224, 3)
SMALL_INPUT = (32, 32, 3)
DIGIT_INPUT = (32, 32, 1)


class Architecture(NamedTuple):
    """`builder` is "module:function" in this package; `errors` are as its paper prints them."""

    name: str
    builder: str
    year: int
    parameters: int
    multiply_adds: int
    errors: str
    input_shape: tuple[int, int, int] = PAPER_INPUT
    classes: int = 1000


# Errors are in percent, top-1 / top-5 on ImageNet's validation pictures, one network, unless another set is named.
ARCHITECTURES = (
    Architecture("lenet5", "lenet:build", 1998, 61_706, 416_520, "", DIGIT_INPUT, 10),
    Architecture("lenet5-1998", "lenet:build_1998", 1998, 60_000, 326_520, "MNIST 0.95", DIGIT_INPUT, 10),
    Architecture("alexnet", "alexnet:build", 2012, 60_965_224, 724_406_816, "40.7 / 18.2", (227, 227, 3)),
    Architecture("zfnet", "zfnet:build", 2013, 107_627_624, 2_476_704_896, "37.5 / 16.0"),
    Architecture("vgg-a", "vgg:build", 2014, 132_863_336, 7_609_090_048, "29.6 / 10.4"),
    Architecture("vgg-a-lrn", "vgg:build_with_lrn", 2014, 132_863_336, 7_609_090_048, "29.7 / 10.5"),
    Architecture("vgg-b", "vgg:build", 2014, 133_047_848, 11_308_466_176, "28.7 / 9.9"),
    Architecture("vgg-c", "vgg:build", 2014, 133_638_952, 11_770_888_192, "27.3 / 8.8"),
    Architecture("vgg-d", "vgg:build", 2014, 138_357_544, 15_470_264_320, "25.6 / 8.1"),
    Architecture("vgg-e", "vgg:build", 2014, 143_667_240, 19_632_062_464, "25.5 / 8.0"),
    Architecture("googlenet", "googlenet:build", 2014, 6_998_552, 1_582_671_872, "– / 10.07"),
    Architecture("resnet18", "resnet:build", 2015, 11_689_512, 1_814_073_344, "27.88 / –, 10 crops, option A"),
    Architecture("resnet34", "resnet:build", 2015, 21_797_672, 3_663_761_408, "24.52 / 7.46, 10 crops"),
    Architecture("resnet50", "resnet:build", 2015, 25_557_032, 3_857_973_248, "22.85 / 6.71, 10 crops"),
    Architecture("resnet101", "resnet:build", 2015, 44_549_160, 7_570_194_432, "21.75 / 6.05, 10 crops"),
    Architecture("resnet152", "resnet:build", 2015, 60_192_808, 11_282_415_616, "21.43 / 5.71, 10 crops"),
    Architecture("resnet20", "resnet:build_for_cifar", 2015, 269_722, 40_551_040, "CIFAR-10 8.75", SMALL_INPUT, 10),
    Architecture("resnet32", "resnet:build_for_cifar", 2015, 464_154, 68_862_592, "CIFAR-10 7.51", SMALL_INPUT, 10),
    Architecture("resnet44", "resnet:build_for_cifar", 2015, 658_586, 97_174_144, "CIFAR-10 7.17", SMALL_INPUT, 10),
    Architecture("resnet56", "resnet:build_for_cifar", 2015, 853_018, 125_485_696, "CIFAR-10 6.97", SMALL_INPUT, 10),
    Architecture("resnet110", "resnet:build_for_cifar", 2015, 1_727_962, 252_887_680, "CIFAR-10 6.43", SMALL_INPUT, 10),
    Architecture("densenet121", "densenet:build", 2016, 7_978_856, 2_834_161_664, "25.02 / –"),
    Architecture("densenet161", "densenet:build", 2016, 28_681_000, 7_727_907_072, ""),
    Architecture("densenet169", "densenet:build", 2016, 14_149_480, 3_359_843_328, "23.80 / –"),
    Architecture("densenet201", "densenet:build", 2016, 20_013_928, 4_291_365_888, "22.58 / –"),
    Architecture("densenet264", "densenet:build", 2016, 33_337_704, 5_751_653_376, "22.15 / –"),
    Architecture(
        "densenet40-k12", "densenet:build_for_cifar", 2016, 1_019_722, 264_812_928, "CIFAR-10 5.24", SMALL_INPUT, 10
    ),
    Architecture(
        "densenet-bc100-k12", "densenet:build_for_cifar", 2016, 769_162, 287_929_692, "CIFAR-10 4.51", SMALL_INPUT, 10
    ),
)

ALIASES = {
    "vgg11": "vgg-a",
    "vgg13": "vgg-b",
    "vgg16": "vgg-d",  # C has 16 layers too, but nobody means it
    "vgg19": "vgg-e",
    "inceptionv1": "googlenet",
    "densenet40": "densenet40-k12",
    "densenet100": "densenet-bc100-k12",
    "densenetbc100": "densenet-bc100-k12",
    "densenet100k12": "densenet-bc100-k12",
    "densenetbc10012": "densenet-bc100-k12",
}
"""Other names of architectures, in small letters and digits alone."""
