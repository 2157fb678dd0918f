/**
 * The network of the main job.
 */
import { nn, type Tensor } from "../../mod.ts";
import type { ImageSet } from "./data.ts";

/** conv – norm – ReLU – pool, twice, then a linear layer. */
export class DigitNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm | nn.Identity;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm | nn.Identity;
  readonly fc: nn.Linear;

  constructor(
    images: Pick<ImageSet, "height" | "width" | "classes">,
    options: { readonly batchNorm?: boolean; readonly track?: boolean; readonly momentum?: number },
  ) {
    super();
    const { batchNorm = true, track = true, momentum = 0.1 } = options;
    const norm = (channels: number) =>
      batchNorm
        ? new nn.BatchNorm2d(channels, { momentum, trackRunningStats: track })
        : new nn.Identity();
    // A bias before a normalisation would be subtracted again.
    this.conv1 = new nn.Conv2d(1, 16, 3, { padding: 1, bias: !batchNorm });
    this.bn1 = norm(16);
    this.conv2 = new nn.Conv2d(16, 32, 3, { padding: 1, bias: !batchNorm });
    this.bn2 = norm(32);
    const positions = Math.floor(images.height / 4) * Math.floor(images.width / 4);
    this.fc = new nn.Linear(32 * positions, images.classes);
  }

  /** [N, 1, height, width] → [N, classes]. */
  override forward(x: Tensor): Tensor {
    const { maxPool2d, relu } = nn.functional;
    const half = maxPool2d(relu(this.bn1.forward(this.conv1.forward(x))), 2);
    const quarter = maxPool2d(relu(this.bn2.forward(this.conv2.forward(half))), 2);
    return this.fc.forward(quarter.flatten({ startDim: 1 }));
  }

  /** The normalisations, by name. */
  norms(): [string, nn.BatchNorm][] {
    return this.namedModules().filter((entry): entry is [string, nn.BatchNorm] =>
      entry[1] instanceof nn.BatchNorm
    );
  }
}
