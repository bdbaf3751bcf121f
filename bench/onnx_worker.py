"""ONNX Runtime: prediction by a graph of Gemm and Relu nodes."""

import worker

import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def graph(net):
    """The net as an ONNX model of fully connected layers, weights stored [out, in]."""
    nodes, constants = [], []
    last = len(net.units) - 2
    name = "rows"
    for index, (weight, bias) in enumerate(net.weights()):
        constants.append(numpy_helper.from_array(weight.T.copy(), f"weight{index}"))
        constants.append(numpy_helper.from_array(bias, f"bias{index}"))
        output = "outputs" if index == last else f"sums{index}"
        nodes.append(helper.make_node("Gemm", [name, f"weight{index}", f"bias{index}"], [output], transB=1))
        if index < last:
            name = f"hidden{index}"
            nodes.append(helper.make_node("Relu", [output], [name]))
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["rows", net.units[0]])
    outputs = helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["rows", net.units[-1]])
    body = helper.make_graph(nodes, net.name, [rows], [outputs], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def predict(net):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = worker.THREADS
    options.inter_op_num_threads = 1
    model = graph(net).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda rows: rows, lambda rows: session.run(None, {"rows": rows})


worker.Worker(predict=predict).serve(f"onnxruntime {onnxruntime.__version__}")
