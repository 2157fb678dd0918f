/**
 * The two nets whose training was recorded.
 *
 * @module
 */
import type { Tensor } from "../../autograd/mod.ts";
import { type AnyModule, makeModule, moduleBase, runOperator } from "./library.ts";

function relu(x: Tensor): Tensor {
  return runOperator("nn.functional.relu", { name: "relu", args: [x] }) as Tensor;
}

/** Linear 7→width without bias, batch norm, ReLU, twice; the second norm averages; Linear → 4. */
export function makeMlp(width = 11): AnyModule {
  class Mlp extends moduleBase() {
    fc1 = makeModule("Linear", [7, width, { bias: false }]);
    bn1 = makeModule("BatchNorm1d", [width]);
    fc2 = makeModule("Linear", [width, width]);
    bn2 = makeModule("BatchNorm1d", [width, { momentum: null }]);
    fc3 = makeModule("Linear", [width, 4]);

    override forward(x: Tensor): Tensor {
      const h = relu(this.bn1.forward(this.fc1.forward(x)));
      return this.fc3.forward(relu(this.bn2.forward(this.fc2.forward(h))));
    }
  }
  return new Mlp();
}

/** A convolutional net for 16×16 images of one channel and five classes. */
export interface Cnn extends AnyModule {
  /** The convolution that is fused with {@linkcode bn2}. */
  conv2: AnyModule;
  /** Its batch norm. */
  bn2: AnyModule;
}

/** Conv, batch norm, ReLU, max pooling; Conv, batch norm, ReLU; Linear → 5. */
export function makeCnn(): Cnn {
  class Net extends moduleBase() {
    conv1 = makeModule("Conv2d", [1, 4, 3, { padding: 1, bias: false }]);
    bn1 = makeModule("BatchNorm2d", [4]);
    conv2 = makeModule("Conv2d", [4, 6, 3, { stride: 2, padding: 1 }]);
    bn2 = makeModule("BatchNorm2d", [6, { momentum: 0.3 }]);
    fc = makeModule("Linear", [96, 5]);

    override forward(x: Tensor): Tensor {
      const h = runOperator("nn.functional.max_pool2d", {
        name: "maxPool2d",
        args: [relu(this.bn1.forward(this.conv1.forward(x))), 2],
      }) as Tensor;
      const z = relu(this.bn2.forward(this.conv2.forward(h)));
      const flat = runOperator("flatten", { name: "flatten", args: [z, { startDim: 1 }] });
      return this.fc.forward(flat);
    }
  }
  return new Net() as unknown as Cnn;
}
