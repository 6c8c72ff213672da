"""An ONNX network with weights of 8 bits, and activations quantised as they come.

onnxruntime's dynamic quantisation gives a whole activation tensor one scale, so that a few channels
with large values leave the others few steps. SmoothQuant (Xiao et al. 2023) moves that difficulty
into the weights: channel j of an activation is divided by s_j and row j of the weights behind it
multiplied by s_j, which changes nothing in exact arithmetic. s_j = max|x_j|^a / max|w_j|^(1-a),
with the largest activations measured on articles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic

from presstag.tokens import Batch, Floats

STRENGTH = 0.7
"""The exponent a: of 0.3, 0.5 and 0.7 the one with which most spans on dev stayed the same."""

_LEAST = 1e-5


def quantise(plain: Path, small: Path, *, batches: Iterable[Batch]) -> None:
    """Write the network in `plain` to `small` with weights of 8 bits.

    Args:
        plain: in fp32.
        small: gets the result.
        batches: windows of articles that the largest activations are measured on; none: the
            network is quantised as it stands.
    """
    network = onnx.load(plain)
    peaks = _peaks(network, batches)
    if peaks:
        _smooth(network, peaks)
        onnx.save(network, plain)
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8, per_channel=True)


def _products(network: Any) -> dict[str, list[Any]]:
    """Matrix products with fixed weights of their own, by the activation that they take."""
    # Some encoders use the same weights in every layer: these cannot be scaled for each.
    uses = Counter(name for node in network.graph.node for name in node.input)
    own = {tensor.name for tensor in network.graph.initializer if uses[tensor.name] == 1}
    products: dict[str, list[Any]] = {}
    for node in network.graph.node:
        if node.op_type == "MatMul" and node.input[1] in own:
            products.setdefault(node.input[0], []).append(node)
    return products


def _peaks(network: Any, batches: Iterable[Batch]) -> dict[str, Floats]:
    """The largest absolute value of each channel of each activation."""
    names = list(_products(network))
    probe = onnx.ModelProto()
    probe.CopyFrom(network)
    for name in names:
        kind = onnx.TensorProto.FLOAT
        probe.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    session = InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = [i.name for i in session.get_inputs()]
    peaks: dict[str, Floats] = {}
    for batch in batches:
        values_ = session.run(names, batch.feed(inputs))
        for name, values in zip(names, values_, strict=True):
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            peaks[name] = np.maximum(peaks[name], peak) if name in peaks else peak
    return peaks


def _smooth(network: Any, peaks: dict[str, Floats]) -> None:
    """Divide each activation by its scales in front of the products, multiply the weights."""
    graph = network.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    dividers: dict[str, Any] = {}
    for name, products in _products(network).items():
        weights = [numpy_helper.to_array(tensors[node.input[1]]) for node in products]
        rows = np.max([np.abs(w).max(axis=1) for w in weights], axis=0)
        scale = np.maximum(peaks[name], _LEAST) ** STRENGTH
        scale /= np.maximum(rows, _LEAST) ** (1 - STRENGTH)
        scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(1 / scale, f"{name}/scale"))
        divided = f"{name}/smooth"
        dividers[name] = onnx.helper.make_node(
            "Mul", [name, f"{name}/scale"], [divided], name=divided
        )
        for node, weight in zip(products, weights, strict=True):
            smoothed = numpy_helper.from_array(weight * scale[:, None], node.input[1])
            tensors[node.input[1]].CopyFrom(smoothed)
            node.input[0] = divided
    nodes: list[Any] = []
    for node in graph.node:  # each divider right behind what it divides
        nodes += [node, *(dividers[name] for name in node.output if name in dividers)]
    del graph.node[:]
    graph.node.extend(nodes)
