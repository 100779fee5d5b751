// Reacts to what comes down: node downlink.mjs uart:/dev/ttyUSB0
// A number on channel 10 switches a lamp on (not 0) or off (0), and channel 11 says up that it is done.
import { SakuraModule } from "sakuraio-kit/host";

const [port = "uart:/dev/ttyUSB0"] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

let lamp = false;
const module = await SakuraModule.open(port, { reopen: true });
console.log(`waiting for channel 10 on ${module.name}`);
const onTrouble = (error) => console.error(error.message);
for await (const { channel, type, value, offset } of module.received({ signal: stop.signal, onTrouble })) {
  // Whoever sends decides the type: look before you use it. 64-bit integers (l, L) are bigint, b is eight bytes.
  if (channel !== 10 || type === "b") {
    console.log(`ignored: channel ${channel}, type ${type}`);
    continue;
  }
  lamp = Number(value) !== 0;
  console.log(`lamp ${lamp ? "on" : "off"}, as asked ${-offset} ms ago`);
  try {
    await module.txEnqueue({ channel: 11, type: "i", value: lamp ? 1 : 0 });
    await module.flush();
  } catch (error) {
    onTrouble(error);
  }
}
await module.close();
