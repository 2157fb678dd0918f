/**
 * A small training for tests of the live page.
 *
 * @module
 */
import { manualSeed, nn, optim, randn } from "../../mod.ts";
import { record, type Recorder } from "../../scope/mod.ts";

/** A network with two batch norm layers, its optimizer and its recorder. */
export class Training {
  readonly model: nn.Sequential;
  readonly optimizer: optim.SGD;
  readonly recorder: Recorder;

  constructor(title = "A small training") {
    manualSeed(0);
    this.model = new nn.Sequential(
      new nn.Linear(3, 6),
      new nn.BatchNorm1d(6),
      new nn.ReLU(),
      new nn.Linear(6, 4),
      new nn.BatchNorm1d(4),
    );
    this.optimizer = new optim.SGD(this.model.parameters(), { lr: 0.1 });
    this.recorder = record(this.model, this.optimizer, { title });
  }

  /** What the page's switches need. */
  get switchable(): { model: nn.Sequential; optimizer: optim.SGD } {
    return { model: this.model, optimizer: this.optimizer };
  }

  /** One step. */
  step(): void {
    this.optimizer.zeroGrad();
    const loss = this.model.forward(randn([16, 3]).mul(2).add(3)).sub(1).square().mean();
    loss.backward();
    this.optimizer.step();
    this.recorder.metric("loss", loss.item());
  }
}
