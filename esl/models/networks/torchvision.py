"""The segmentation networks of torchvision, by their names there, at the stride of their classifiers."""

from typing import Any

from torch import Tensor, nn

from esl.models.logits import Logits

NAMES = (
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
)
"""Those of torchvision.models.segmentation."""

MEAN_RGB = (0.485, 0.456, 0.406)  # torchvision's ImageNet weights, pictures in [0, 1]
STD_RGB = (0.229, 0.224, 0.225)


class TorchvisionNetwork(nn.Module):
    """A network of torchvision with fresh weights; all but LR-ASPP have an auxiliary classifier.

    Its own ``forward`` upsamples logits to the picture; here they stay at the classifier's stride, since probabilities
    are what this project upsamples.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, num_classes: int) -> None:
        import torch
        from torchvision.models import segmentation  # takes a while to import; only these networks need it

        super().__init__()
        auxiliary: dict[str, Any] = {} if name.startswith("lraspp") else {"aux_loss": True}
        built = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=num_classes, **auxiliary)
        self.register_buffer("mean", torch.tensor(MEAN_RGB).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD_RGB).reshape(1, 3, 1, 1), persistent=False)
        self.backbone, self.classifier = built.backbone, built.classifier
        self.aux_classifier = getattr(built, "aux_classifier", None)
        self._whole = name.startswith("lraspp")  # whose classifier reads two levels of features

    def blocks(self) -> list[nn.Module]:
        """What keeps no activations of its own when memory is short: the backbone's residual blocks."""
        layers = (list(layer) if isinstance(layer, nn.Sequential) else [layer] for layer in self.backbone.children())
        return [block for layer in layers for block in layer if [*block.children()]]

    def forward(self, picture_N3HW: Tensor) -> Logits:
        """Logits of RGB pictures in [0, 1]: (N, C, h, w) at stride 8 (16 of MobileNet's DeepLab)."""
        features = self.backbone((picture_N3HW - self.mean) / self.std)
        main = self.classifier(features if self._whole else features["out"])
        return Logits(main, None if self.aux_classifier is None else self.aux_classifier(features["aux"]))
