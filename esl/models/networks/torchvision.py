"""The segmentation networks of torchvision.models.segmentation at the stride of their classifiers."""

from typing import Any

from torch import Tensor, nn

from esl.models.logits import Logits

MEAN_RGB = (0.485, 0.456, 0.406)  # torchvision's ImageNet weights, images in [0, 1]
STD_RGB = (0.229, 0.224, 0.225)


class TorchvisionNetwork(nn.Module):
    """The network that torchvision calls ``name``, with fresh weights; all but LR-ASPP have an auxiliary classifier.

    Its own ``forward`` upsamples logits to the size of the image; here they stay at the classifier's stride, because
    this project upsamples probabilities.
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
        self._two_levels = name.startswith("lraspp")  # its classifier reads two levels of features

    def blocks(self) -> list[nn.Module]:
        """The modules that activation checkpointing wraps: the backbone's residual blocks."""
        layers = (list(layer) if isinstance(layer, nn.Sequential) else [layer] for layer in self.backbone.children())
        return [block for layer in layers for block in layer if [*block.children()]]

    def forward(self, image_N3HW: Tensor) -> Logits:
        """Logits (N, C, h, w) of RGB images in [0, 1], at stride 8 (16 for DeepLab on MobileNet)."""
        features = self.backbone((image_N3HW - self.mean) / self.std)
        main = self.classifier(features if self._two_levels else features["out"])
        return Logits(main, None if self.aux_classifier is None else self.aux_classifier(features["aux"]))
