// Joins two modules: what comes down to one goes up through the other, and back. So two sakura.io projects can talk.
//     node two-modules.mjs uart:/dev/ttyUSB0 uart:/dev/ttyUSB1
import { SakuraModule } from "sakuraio-kit/host";

const [first = "uart:/dev/ttyUSB0", second = "uart:/dev/ttyUSB1"] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

async function pass(from, to) {
  const onTrouble = (error) => console.error(`${from.name}: ${error.message}`);
  for await (const { offset, ...entry } of from.received({ signal: stop.signal, onTrouble })) {
    try {
      // The offset is the value's age, so that it keeps its time.
      await to.txEnqueue({ ...entry, offset });
      await to.flush();
      console.log(`${from.name} → ${to.name}: channel ${entry.channel}, ${entry.value}`);
    } catch (error) {
      console.error(`${to.name} could not send channel ${entry.channel}: ${error.message}`);
    }
  }
}

const modules = [];
try {
  for (const port of [first, second]) modules.push(await SakuraModule.open(port, { reopen: true }));
  const [a, b] = modules;
  console.log(`${a.name} and ${b.name} are joined`);
  await Promise.all([pass(a, b), pass(b, a)]);
} finally {
  stop.abort();
  for (const module of modules) await module.close();
}
