import { assert, assertEquals, assertThrows } from "@std/assert";
import { nn, type Tensor, zeros } from "../../mod.ts";

class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Linear(4, 3),
    new nn.ReLU(),
    new nn.Sequential(new nn.Identity(), new nn.BatchNorm2d(3)),
  );
  override forward(x: Tensor): Tensor {
    return this.features.forward(x);
  }
}

function messageOf(fn: () => unknown): string {
  return assertThrows(fn, Error).message;
}

Deno.test("a shape error inside a model names the layer's path and kind", () => {
  const message = messageOf(() => new Net().forward(zeros([2, 4])));
  assert(message.startsWith("Cannot run BatchNorm2d"), message);
  assert(message.endsWith("; in Net.features.2.1 (BatchNorm2d)"), message);
});

Deno.test("the error keeps its class and is told its place once", () => {
  const net = new nn.Sequential(new Net(), new nn.Identity());
  const error = assertThrows(() => net.forward(zeros([2, 5])), RangeError);
  assertEquals(error.message.match(/; in /g)?.length, 1);
  assert(error.message.endsWith("in Sequential.0.features.0 (Linear)"), error.message);
});

Deno.test("a layer that is called alone, and a user's own error, say nothing more", () => {
  assert(!messageOf(() => new nn.Linear(4, 3).forward(zeros([2, 5]))).includes("; in "));
  class Broken extends nn.Module {
    override forward(): Tensor {
      throw new Error("my own");
    }
  }
  const net = new nn.Sequential(new Broken());
  assertEquals(messageOf(() => net.forward(zeros([1]))), "my own");
});

Deno.test("after an error the next one is placed as well", () => {
  const net = new Net();
  for (let i = 0; i < 2; i++) {
    assert(messageOf(() => net.forward(zeros([2, 4]))).includes("in Net.features.2.1"));
  }
});
