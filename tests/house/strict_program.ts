/**
 * A program as a strict user writes it: checked under the strictest flags by types_test.ts, with what
 * must not compile marked.
 *
 * @module
 */
import { batches, nn, optim, type Tensor, tensor, TensorDataset } from "../../mod.ts";

class Net extends nn.Module {
  readonly body = new nn.Sequential(new nn.Linear(2, 4), new nn.BatchNorm1d(4), new nn.ReLU());
  readonly head = new nn.Linear(4, 2);
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}

/** Trains a step, and uses what the types promise. */
export function train(): number {
  const net = new Net();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.1 });
  const data = new TensorDataset(tensor([[1, 2], [3, 4], [5, 6], [7, 8]]), tensor([0, 1, 1, 0]));
  let last = 0;
  for (const [x, target] of batches(data, { batchSize: 2 })) {
    const loss = nn.functional.crossEntropy(net.forward(x), target);
    sgd.zeroGrad();
    loss.backward();
    sgd.step();
    last = loss.item();
  }
  optim.swa.updateBn(batches(data, { batchSize: 2 }), net);
  const y: Tensor = new nn.Sequential(net, new nn.Tanh()).forward(tensor([[1, 2]]));
  const typed: nn.Module<[x: Tensor], Tensor> = net;
  const embedded = new nn.Sequential<[index: number[]], Tensor>(new nn.Embedding(3, 2));
  return last + y.size + typed.forward(y).size + embedded.forward([0, 1]).size;
}

/** What must not compile; never called. */
export function wrong(net: Net, x: Tensor): void {
  // @ts-expect-error a text is not a tensor
  net.forward("hello");
  // @ts-expect-error a text is not a tensor
  new nn.Sequential(net).forward("hello");
  // @ts-expect-error a text is not a tensor
  new nn.BatchNorm1d(2).forward("hello");
  // @ts-expect-error a tensor is not a number
  const text: number = new nn.Linear(2, 2).forward(x);
  // @ts-expect-error the engine's own
  void x.storage;
  // @ts-expect-error the engine's own
  void x.node;
  // @ts-expect-error no such option
  new nn.BatchNorm1d(2, { momentun: 0.1 });
  // @ts-expect-error no such reduction
  nn.functional.mseLoss(x, x, { reduction: "avg" });
  void text;
}
