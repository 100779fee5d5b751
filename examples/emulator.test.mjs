// Tests a driver without hardware: npx vitest run emulator.test.mjs
import { attachUart, EmulatedModule, listenTcp, MessageLog } from "sakuraio-kit/emulator";
import { SakuraModule } from "sakuraio-kit/host";
import { afterEach, beforeEach, expect, it } from "vitest";

// What is under test; yours may be in any language: `openPty()` instead of `listenTcp()` gives it a serial port.
async function reportDoor(port, open) {
  const module = await SakuraModule.open(port);
  await module.txEnqueue({ channel: 5, type: "I", value: open ? 1 : 0 });
  await module.flush().finally(() => module.close());
}

let emulated, log, line;
beforeEach(async () => {
  log = new MessageLog();
  emulated = new EmulatedModule({ uplink: log });
  line = await listenTcp({ host: "127.0.0.1", port: 0 });
  line.onConnection((duplex) => attachUart(emulated, duplex));
});
afterEach(() => line.close());

it("says that the door is open", async () => {
  await reportDoor(line.uri, true);
  const { type, payload } = await log.next();
  expect(type).toBe("channels");
  expect(payload.channels).toMatchObject([{ channel: 5, type: "I", value: 1 }]);
});

it("fails without network, and leaves the value in the queue", async () => {
  emulated.setOnline(false);
  await expect(reportDoor(line.uri, true)).rejects.toMatchObject({ code: "MODULE_REFUSED" });
  expect(emulated.state.txQueue).toHaveLength(1);
});
