// A process of its own around an outbox on disk, to be killed or to run into limits. Plain JavaScript on the built
// package, because Node 20 runs no TypeScript.
//
//     node outbox-child.mjs PATH FIRST [PAYLOAD_BYTES]
//
// Appends FIRST, FIRST + 1, … in groups, hands some out and forgets them, and prints a line for each: `kept N` once it
// is accepted, `done N` before it is forgotten, `refused REASON TEXT` and then ends.
import { writeSync } from "node:fs";
import { openOutbox } from "../../dist/host/bridge/index.js";
import { systemClock } from "../../dist/host/clock.js";

const [path, first, bytes = "10"] = process.argv.slice(2);
const print = (line) => writeSync(1, `${line}\n`);
const outbox = await openOutbox({
  path,
  bounds: { maxBytes: 2 ** 30 },
  clock: systemClock,
  report: (note) => print(`note ${note}`),
  lowSpaceBytes: 0,
  minFreeBytes: 0,
});
print("open");
const lane = outbox.lane("a");
const filler = "x".repeat(Number(bytes));
let refused;
for (let number = Number(first); refused === undefined; ) {
  const appends = [];
  // Groups of 1 to 40, and in each some that wait for nobody.
  for (const end = number + 1 + ((number * 7) % 40); number < end; number++) {
    const text = String(number);
    const append = outbox.append({ module: "u1", payload: Buffer.from(`${text} ${filler}`) }, ["a", "b"]);
    appends.push(append.then(() => print(`kept ${text}`)));
  }
  const results = await Promise.allSettled(appends);
  refused = results.find(({ status }) => status === "rejected")?.reason;
  for (let count = 0; count < 12; count++) {
    const message = lane.next();
    if (!message) break;
    print(`done ${Number.parseInt(Buffer.from(message.payload).toString(), 10)}`);
    lane.forget(message);
  }
}
print(`refused ${refused.context.reason} ${refused.message}`);
print(`state ${outbox.state().state}`);
await outbox.close();
print("closed");
