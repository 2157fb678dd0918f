/** One rank goes wrong in the way that the first argument says; the others wait for it. */
import { allReduce, broadcast_, init } from "../../../distributed/mod.ts";
import { ones, tensor } from "../../../mod.ts";

const [fault, options] = Deno.args;
using group = init(JSON.parse(options ?? "{}"));
allReduce(tensor([1]));
console.log(`pid ${Deno.pid}`);

if (group.rank === 1) {
  switch (fault) {
    case "throw":
      throw new Error("a fault");
    case "reject":
      Promise.reject(new Error("a fault"));
      await new Promise((resolve) => setTimeout(resolve, 5000));
      break;
    case "later":
      setTimeout(() => {
        throw new Error("a fault");
      }, 1);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      break;
    case "exit0":
      Deno.exit(0);
      break;
    case "exit3":
      Deno.exit(3);
      break;
    case "kill":
      Deno.kill(Deno.pid, "SIGKILL");
      break;
    case "interrupt":
      Deno.kill(Deno.pid, "SIGINT");
      break;
    case "forever":
      await new Promise(() => {});
      break;
    case "busy":
      for (;;);
    case "other":
      broadcast_(tensor([1]));
      break;
    case "shape":
      allReduce(ones([3]));
      break;
  }
}
if (group.rank === 1 && fault === "leave") {
  console.log("rank 1 leaves");
} else {
  for (;;) allReduce(ones([2]));
}
