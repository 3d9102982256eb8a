"""AdvEnt's iteration and the inference of maps, as ADVENT's public code runs them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from esl.data.index import Index
from esl.labels.measures.entropy import normalised_entropy
from esl.training.terms.advent.discriminator import Discriminator
from esl.training.terms.entropy import Domain, adversarial_loss, weighted_self_information
from performance.case import CLASSES, NUM_IMAGES, WARM, Case, Clock


def _pair(index: Index, number: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Image (1, 3, H, W) float in [0, 1] and label (1, H, W) of a sample, read and decoded on the spot."""
    sample = index.samples[number % NUM_IMAGES]
    image = torch.from_numpy(index.read_image(sample).copy()).permute(2, 0, 1)[None].float() / 255
    label = torch.from_numpy(index.read_label(sample).copy())[None].long()
    return image.to(device), label.to(device)


def published_steps(index: Index, case: Case, clock: Clock) -> None:
    """AdvEnt's iteration: two domains, two outputs, two discriminators."""
    device = clock.device
    network = case.network().to(device).train()
    optimizer = torch.optim.SGD(network.parameter_groups(2.5e-4), lr=2.5e-4, momentum=0.9, weight_decay=5e-4)
    discriminators = [Discriminator(len(CLASSES)).to(device) for _ in range(2)]
    adams = [torch.optim.Adam(each.parameters(), lr=1e-4, betas=(0.9, 0.99)) for each in discriminators]

    def full(logits: Tensor, label: Tensor) -> Tensor:
        return F.interpolate(logits, size=label.shape[-2:], mode="bilinear", align_corners=True)

    for iteration in range(WARM + case.iterations):
        if iteration == WARM:
            clock.start()
        (image, label), (target, other) = (_pair(index, iteration + shift, device) for shift in (0, 3))
        for each in (optimizer, *adams):
            each.zero_grad()
        for discriminator in discriminators:
            discriminator.requires_grad_(False)
        source_maps = [full(logits, label) for logits in network(image)]
        losses = [F.cross_entropy(logits, label, ignore_index=255) for logits in source_maps]
        torch.autograd.backward(losses[0] + 0.1 * losses[1])
        target_maps = [full(logits, other) for logits in network(target)]
        judgements = [
            d(weighted_self_information(maps.softmax(1))) for d, maps in zip(discriminators, target_maps, strict=True)
        ]
        main, auxiliary = (adversarial_loss(judgement, "source") for judgement in judgements)
        torch.autograd.backward(1e-3 * main + 2e-4 * auxiliary)
        optimizer.step()
        for number, (discriminator, adam) in enumerate(zip(discriminators, adams, strict=True)):
            discriminator.requires_grad_(True)
            domains: dict[Domain, list[Tensor]] = {"source": source_maps, "target": target_maps}
            for domain, maps in domains.items():
                judgement = discriminator(weighted_self_information(maps[number].detach().softmax(1)))
                torch.autograd.backward(adversarial_loss(judgement, domain) / 2)
            adam.step()
        losses[0].item()  # for the progress that is printed


def published_maps(index: Index, case: Case, clock: Clock) -> None:
    """Every image's probabilities at full size, on the host, and from there its label and entropy."""
    network, device = case.network().to(clock.device).eval(), clock.device
    for number in range(2 * (WARM + case.iterations)):
        if number == 2 * WARM:
            clock.start()
        image, label = _pair(index, number, device)
        with torch.no_grad():
            probability = network(image).main.softmax(1)
            whole = F.interpolate(probability, size=label.shape[-2:], mode="bilinear", align_corners=True).cpu()
        whole.argmax(1)
        normalised_entropy(whole)
