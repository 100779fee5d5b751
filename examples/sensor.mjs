// Reads a sensor and sends what it says: node sensor.mjs uart:/dev/ttyUSB0 [FILE] [SECONDS]
// FILE holds thousandths, as Linux gives a processor's temperature; SECONDS go by between two readings.
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { SakuraModule } from "sakuraio-kit/host";

const [port = "uart:/dev/ttyUSB0", file = "/sys/class/thermal/thermal_zone0/temp", seconds = "10"] =
  process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

// `reopen`: a cable that was pulled may be put back.
const module = await SakuraModule.open(port, { reopen: true });
while (!stop.signal.aborted) {
  const celsius = Number(await readFile(file, "utf8")) / 1000;
  try {
    await module.txEnqueue({ channel: 1, type: "f", value: celsius });
    await module.flush();
    console.log(`sent ${celsius} °C`);
  } catch (error) {
    // Offline, say. What was enqueued stays in the module's queue, and goes with the next flush.
    console.error(`not sent now: ${error.message}`);
  }
  await setTimeout(Number(seconds) * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
}
await module.close();
