"""The papers' networks once more, in Torch and from the papers: modules are called as our layers are.

`forward` notes what each stage gives in `maps`, by our layer's name, and gives logits.
"""

import torch
from torch import nn
from torch.nn import functional

CLASSES = 10


class Network(nn.Module):
    """Notes what its stages give."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: dict[str, torch.Tensor] = {}

    def note(self, name: str, x: torch.Tensor) -> torch.Tensor:
        self.maps[name] = x
        return x


def lrn(x, constants):
    """Over 5 maps; Torch divides alpha by their number, and the papers do not, but Caffe does."""
    alpha, k = {"paper": (5 * 1e-4, 2.0), "caffe": (1e-4, 1.0)}[constants]
    return nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=k)(x)


class AlexNet(Network):
    """Krizhevsky et al. 2012, Figure 2: two groups in conv2, conv4 and conv5; fc6 and fc7 of 4096."""

    def __init__(self, constants="paper", groups=2):
        super().__init__()
        self.constants = constants
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=groups)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, CLASSES)

    def forward(self, x):
        x = self.note("conv1", functional.relu(self.conv1(x)))
        x = self.note("norm1", lrn(x, self.constants))
        x = self.note("pool1", functional.max_pool2d(x, 3, 2))
        x = self.note("conv2", functional.relu(self.conv2(x)))
        x = self.note("norm2", lrn(x, self.constants))
        x = self.note("pool2", functional.max_pool2d(x, 3, 2))
        x = self.note("conv3", functional.relu(self.conv3(x)))
        x = self.note("conv4", functional.relu(self.conv4(x)))
        x = self.note("conv5", functional.relu(self.conv5(x)))
        x = self.note("pool5", functional.max_pool2d(x, 3, 2))
        x = self.note("fc6", functional.relu(self.fc6(x.flatten(1))))
        x = self.note("fc7", functional.relu(self.fc7(x)))
        return self.fc8(x)


class ZFNet(Network):
    """Zeiler and Fergus 2013, Figure 3: 224 -> 110 -> 55 -> 26 -> 13 -> 6."""

    def __init__(self, maps=(512, 1024, 512)):
        super().__init__()
        third, fourth, fifth = maps
        self.conv1 = nn.Conv2d(3, 96, 7, stride=2, padding=1)
        self.conv2 = nn.Conv2d(96, 256, 5, stride=2)
        self.conv3 = nn.Conv2d(256, third, 3, padding=1)
        self.conv4 = nn.Conv2d(third, fourth, 3, padding=1)
        self.conv5 = nn.Conv2d(fourth, fifth, 3, padding=1)
        self.fc6 = nn.Linear(fifth * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, CLASSES)

    def forward(self, x):
        x = self.note("pool1", functional.max_pool2d(functional.relu(self.conv1(x)), 3, 2, ceil_mode=True))
        x = self.note("norm1", lrn(x, "paper"))
        x = self.note("pool2", functional.max_pool2d(functional.relu(self.conv2(x)), 3, 2, ceil_mode=True))
        x = self.note("norm2", lrn(x, "paper"))
        for name in ("conv3", "conv4", "conv5"):
            x = self.note(name, functional.relu(getattr(self, name)(x)))
        x = self.note("pool5", functional.max_pool2d(x, 3, 2, ceil_mode=True))
        x = functional.relu(self.fc7(functional.relu(self.fc6(x.flatten(1)))))
        return self.fc8(x)


class VGG(Network):
    """Simonyan and Zisserman 2014, Table 1; `sides` are of the filters of each stage."""

    def __init__(self, sides, side, normalised=False):
        super().__init__()
        self.normalised = normalised
        self.stages = []
        before = 3
        for stage, (maps, filters) in enumerate(zip((64, 128, 256, 512, 512), sides, strict=True), 1):
            names = []
            for number, filter_side in enumerate(filters, 1):
                names.append(f"conv{stage}_{number}")
                self.add_module(names[-1], nn.Conv2d(before, maps, filter_side, padding=filter_side // 2))
                before = maps
            self.stages.append(names)
        self.fc6 = nn.Linear(512 * (side // 32) ** 2, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, CLASSES)

    def forward(self, x):
        for stage, names in enumerate(self.stages, 1):
            for name in names:
                x = self.note(name, functional.relu(self.get_submodule(name)(x)))
                if self.normalised and name == "conv1_1":
                    x = self.note("norm1", lrn(x, "paper"))
            x = self.note(f"pool{stage}", functional.max_pool2d(x, 2))
        return self.fc8(functional.relu(self.fc7(functional.relu(self.fc6(x.flatten(1))))))


INCEPTIONS = {
    # Maps given, then the columns of Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


class GoogLeNet(Network):
    """Szegedy et al. 2014, Table 1, with both heads of section 5; pooling as in Caffe, its windows over the edge."""

    def __init__(self, constants="paper", head_side=4):
        super().__init__()
        self.constants = constants
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.conv2_reduce = nn.Conv2d(64, 64, 1)
        self.conv2 = nn.Conv2d(64, 192, 3, padding=1)
        for name, (given, ones, reduce_3, threes, reduce_5, fives, projected) in INCEPTIONS.items():
            module = f"inception_{name}"
            self.add_module(f"{module}_1x1", nn.Conv2d(given, ones, 1))
            self.add_module(f"{module}_3x3_reduce", nn.Conv2d(given, reduce_3, 1))
            self.add_module(f"{module}_3x3", nn.Conv2d(reduce_3, threes, 3, padding=1))
            self.add_module(f"{module}_5x5_reduce", nn.Conv2d(given, reduce_5, 1))
            self.add_module(f"{module}_5x5", nn.Conv2d(reduce_5, fives, 5, padding=2))
            self.add_module(f"{module}_pool_proj", nn.Conv2d(given, projected, 1))
        for head, given in (("aux1", 512), ("aux2", 528)):
            self.add_module(f"{head}_conv", nn.Conv2d(given, 128, 1))
            self.add_module(f"{head}_fc", nn.Linear(128 * head_side**2, 1024))
            self.add_module(f"{head}_linear", nn.Linear(1024, CLASSES))
        self.linear = nn.Linear(1024, CLASSES)

    def relu(self, name, x):
        return functional.relu(self.get_submodule(name)(x))

    def inception(self, name, x):
        branches = [
            self.relu(f"{name}_1x1", x),
            self.relu(f"{name}_3x3", self.relu(f"{name}_3x3_reduce", x)),
            self.relu(f"{name}_5x5", self.relu(f"{name}_5x5_reduce", x)),
            self.relu(f"{name}_pool_proj", functional.max_pool2d(x, 3, 1, padding=1)),
        ]
        return self.note(name, torch.cat(branches, 1))

    def head(self, name, x):
        x = self.relu(f"{name}_conv", self.note(f"{name}_pool", functional.avg_pool2d(x, 5, 3)))
        return self.get_submodule(f"{name}_linear")(self.relu(f"{name}_fc", x.flatten(1)))

    def forward(self, x):
        x = self.note("pool1", functional.max_pool2d(self.relu("conv1", x), 3, 2, ceil_mode=True))
        x = self.note("norm1", lrn(x, self.constants))
        x = self.relu("conv2", self.relu("conv2_reduce", x))
        x = self.note("norm2", lrn(x, self.constants))
        x = self.note("pool2", functional.max_pool2d(x, 3, 2, ceil_mode=True))
        x = self.inception("inception_3b", self.inception("inception_3a", x))
        x = fourth = self.inception("inception_4a", self.note("pool3", functional.max_pool2d(x, 3, 2, ceil_mode=True)))
        for name in ("4b", "4c", "4d"):
            x = self.inception(f"inception_{name}", x)
        aux1, aux2 = self.head("aux1", fourth), self.head("aux2", x)
        x = self.note("pool4", functional.max_pool2d(self.inception("inception_4e", x), 3, 2, ceil_mode=True))
        x = self.inception("inception_5b", self.inception("inception_5a", x))
        return {"linear": self.linear(x.mean((2, 3))), "aux1_linear": aux1, "aux2_linear": aux2}


class CifarResNet(Network):
    """He et al. 2015, section 4.2: 6n + 2 layers, shortcuts that skip places and add maps of zeros."""

    def __init__(self, blocks):
        super().__init__()
        self.blocks = []
        self.add("conv1", 3, 16, 1)
        before = 16
        for stage, maps in ((2, 16), (3, 32), (4, 64)):
            for number in range(1, blocks + 1):
                stride = 2 if stage > 2 and number == 1 else 1
                name = f"conv{stage}_{number}"
                self.add(f"{name}_1", before, maps, stride)
                self.add(f"{name}_2", maps, maps, 1)
                self.blocks.append((name, stride, maps - before))
                before = maps
        self.fc = nn.Linear(64, CLASSES)

    def add(self, name, before, maps, stride):
        self.add_module(name, nn.Conv2d(before, maps, 3, stride, padding=1, bias=False))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(maps))

    def normalised(self, name, x):
        return self.get_submodule(f"{name}_bn")(self.get_submodule(name)(x))

    def forward(self, x):
        x = self.note("conv1_relu", functional.relu(self.normalised("conv1", x)))
        for name, stride, more in self.blocks:
            shortcut = functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, more))
            x = functional.relu(self.normalised(f"{name}_1", x))
            x = self.note(name, functional.relu(self.normalised(f"{name}_2", x) + shortcut))
        return self.fc(x.mean((2, 3)))


class CifarDenseNet(Network):
    """Huang et al. 2016, section 3: three blocks of `layers` layers, each adding 12 maps; BC has `bottleneck`."""

    def __init__(self, layers, stem, bottleneck, compression):
        super().__init__()
        self.layers, self.bottleneck = layers, bottleneck
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        maps = stem
        for block in (1, 2, 3):
            for number in range(1, layers + 1):
                name, inside = f"dense{block}_{number}", maps
                if bottleneck:
                    self.add(f"{name}_1x1", maps, 48, 1)
                    inside = 48
                self.add(f"{name}_3x3", inside, 12, 3)
                maps += 12
            if block < 3:
                self.add(f"transition{block}", maps, int(maps * compression), 1)
                maps = int(maps * compression)
        self.final_bn = nn.BatchNorm2d(maps)
        self.fc = nn.Linear(maps, CLASSES)

    def add(self, name, before, maps, side):
        self.add_module(f"{name}_bn", nn.BatchNorm2d(before))
        self.add_module(name, nn.Conv2d(before, maps, side, padding=side // 2, bias=False))

    def composed(self, name, x):
        return self.get_submodule(name)(functional.relu(self.get_submodule(f"{name}_bn")(x)))

    def forward(self, x):
        x = self.note("conv1", self.conv1(x))
        for block in (1, 2, 3):
            for number in range(1, self.layers + 1):
                name = f"dense{block}_{number}"
                made = self.composed(f"{name}_1x1", x) if self.bottleneck else x
                x = self.note(name, torch.cat([x, self.composed(f"{name}_3x3", made)], 1))
            if block < 3:
                x = self.note(
                    f"transition{block}_pool", functional.avg_pool2d(self.composed(f"transition{block}", x), 2)
                )
        return self.fc(functional.relu(self.final_bn(x)).mean((2, 3)))
