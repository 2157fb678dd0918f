/**
 * Saves one checkpoint after the other until it is killed, and prints the step of each that is safe.
 * Every weight of step k is k.
 */
import { nn, noGrad } from "../../mod.ts";
import { saveCheckpoint } from "../../io/mod.ts";

const [file] = Deno.args;
const model = new nn.Linear(500, 400);
for (let step = 1;; step++) {
  noGrad(() => model.parameters().forEach((parameter) => parameter.copy_(step)));
  await saveCheckpoint(file, { model, step });
  console.log(step);
}
