"""The discriminator of adversarial adaptation: which domain does this map come from?"""

from torch import nn

BETAS = (0.9, 0.99)  # of Adam (ADVENT's public code)

WIDTHS = (64, 128, 256, 512)  # channels at strides 2, 4, 8 and 16


class Discriminator(nn.Sequential):
    """Five 4x4 convolutions of stride 2 with leaky ReLUs between (Vu et al. 2019; layers as in its public code).

    Takes weighted self-information (N, C, H, W), float, of at least 32 x 32 pixels; returns logits
    (N, 1, floor(H/32), floor(W/32)) of the target domain, without the sigmoid.
    """

    def __init__(self, num_classes: int) -> None:
        layers: list[nn.Module] = []
        channels = num_classes
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 4, 2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
            channels = width
        super().__init__(*layers, nn.Conv2d(channels, 1, 4, 2, padding=1))
