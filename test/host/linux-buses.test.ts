/**
 * Linux's own buses with the libraries' interface injected: the emulated module stands behind what `i2c-bus` and
 * `spi-device` would do. No such bus was tried.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attachI2c } from "../../emulator/bus/i2c.ts";
import { attachSpi } from "../../emulator/bus/spi.ts";
import { type I2cLibrary, openLinuxI2c } from "../../host/adapter/linux-i2c.ts";
import { openLinuxSpi, type SpiLibrary, type SpiTransfer } from "../../host/adapter/linux-spi.ts";
import { loadNativeLibrary } from "../../host/adapter/native-library.ts";
import { SakuraModule } from "../../host/module.ts";
import { i2cExchange } from "../../host/transport/i2c.ts";
import { spiExchange } from "../../host/transport/spi.ts";
import { inTime } from "../support/client.ts";
import { type Desk, desk, hex } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";

/** An error as Node makes it from the system's. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}

let at: Desk;
const done = <T>(work: Promise<T>): Promise<T> => inTime(at.clock, work, 1);
beforeEach(() => {
  at = desk({ uniqueId: "16B0100260" });
});

describe("/dev/i2c-1", () => {
  let calls: string[];
  let fault: Error | undefined;
  let hangs: boolean;
  let plain: boolean;
  let stuck: Promise<void> | undefined;
  let module: SakuraModule | undefined;

  beforeEach(() => {
    calls = [];
    fault = undefined;
    hangs = false;
    plain = true;
    stuck = undefined;
  });
  afterEach(async () => {
    await module?.close();
    module = undefined;
  });

  function library(): I2cLibrary {
    const target = attachI2c(at.module);
    const call = async (text: string): Promise<void> => {
      calls.push(text);
      if (hangs) await new Promise(() => undefined);
      await stuck;
      if (fault) throw fault;
    };
    return {
      async openPromisified(bus) {
        return {
          async i2cFuncs() {
            await call(`open ${bus}`);
            return { i2c: plain };
          },
          async i2cWrite(address, length, buffer) {
            await call(`write ${address.toString(16)} ${hex(buffer.subarray(0, length))}`);
            if (!target.start("write")) throw systemError("EREMOTEIO");
            for (const byte of buffer.subarray(0, length)) target.write(byte);
            target.stop();
            return { bytesWritten: length };
          },
          async i2cRead(address, length, buffer) {
            await call(`read ${address.toString(16)} ${length}`);
            if (!target.start("read")) throw systemError("EREMOTEIO");
            for (let i = 0; i < length; i++) buffer[i] = target.read();
            target.stop();
            return { bytesRead: length };
          },
          close: () => call("close"),
        };
      },
    };
  }

  async function open(options: { retries?: number; timeoutMs?: number } = {}): Promise<SakuraModule> {
    const { clock } = at;
    const bus = await openLinuxI2c({ bus: 1, clock, library: library() });
    module = SakuraModule.over(i2cExchange(bus, { clock }), { clock, ...options });
    return module;
  }

  it("is driven with plain writes and reads, also beyond the 32 bytes of SMBus", async () => {
    const opened = await open();
    expect(await done(opened.getUniqueId())).toBe("16B0100260");
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    expect(await done(opened.echoBack(bytes))).toEqual(bytes);
    expect(calls.slice(0, 3)).toEqual(["open 1", "write 4f A1 00 A1", "read 4f 13"]);
    expect(calls.slice(4)).toEqual(["read 4f 3", "read 4f 203"]);
    await opened.close();
    expect(calls.at(-1)).toBe("close");
  });

  it("where nothing acknowledges says so, and what to check", async () => {
    const opened = await open();
    fault = systemError("EREMOTEIO");
    const { message, context } = await failsWith("NO_ANSWER", done(opened.txSend()));
    expect(message).toBe(
      "nothing at 0x4F on /dev/i2c-1 acknowledges: check the module's power, SDA, SCL, ground and pull-ups",
    );
    expect(context).toMatchObject({ port: "/dev/i2c-1", step: "writing 3 bytes to 0x4F" });
    fault = undefined;
  });

  it("whose bus is stuck does not hang, and what comes after waits for the system", async () => {
    const opened = await open({ timeoutMs: 100, retries: 0 });
    hangs = true;
    const { message } = await failsWith("NO_ANSWER", done(opened.getSignalQuality()));
    expect(message).toContain("/dev/i2c-1");
    await failsWith("NO_ANSWER", done(opened.getSignalQuality()));
    // A close does not wait for the system for ever.
    await done(opened.close());
    expect(calls).toEqual(["open 1", "write 4f 02 00 02"]);
    module = undefined;
  });

  it("is closed when the call under way has ended, and does nothing more that was given up", async () => {
    const opened = await open({ timeoutMs: 100, retries: 4 });
    let release = (): void => undefined;
    stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    await failsWith("NO_ANSWER", done(opened.getSignalQuality()));
    await failsWith("NO_ANSWER", done(opened.getSignalQuality()));
    stuck = undefined;
    release();
    await opened.close();
    expect(calls).toEqual(["open 1", "write 4f 02 00 02", "close"]);
    module = undefined;
  });

  it("whose address a driver of the kernel has is busy, and not spoken to again", async () => {
    const opened = await open();
    fault = systemError("EBUSY");
    await failsWith("PORT_BUSY", done(opened.getSignalQuality()));
    fault = undefined;
    await failsWith("PORT_BUSY", done(opened.getSignalQuality()));
    expect(calls).toEqual(["open 1", "write 4f 02 00 02", "close"]);
  });

  it("that is an SMBus alone is refused", async () => {
    plain = false;
    const { message } = await failsWith("UNSUPPORTED", open());
    expect(message).toBe("/dev/i2c-1 is an SMBus alone, whose blocks end at 32 bytes");
    expect(calls).toEqual(["open 1", "close"]);
  });

  it("that goes away is lost", async () => {
    const opened = await open();
    fault = systemError("ENODEV");
    await failsWith("PORT_LOST", done(opened.getSignalQuality()));
    expect(opened.state.kind).toBe("lost");
    fault = undefined;
  });

  it.each([
    ["ENOENT", "PORT_NOT_FOUND", "raspi-config nonint do_i2c 0"],
    ["EACCES", "PORT_DENIED", "usermod -aG i2c"],
    ["EBUSY", "PORT_BUSY", "in use by a driver of the kernel"],
    ["EIO", "PORT_FAILED", "EIO: it failed"],
  ] as const)("that cannot be opened (%s) is %s", async (errno, code, text) => {
    fault = systemError(errno);
    const { message } = await failsWith(code, openLinuxI2c({ bus: 1, library: library() }));
    expect(message).toContain("/dev/i2c-1");
    expect(message).toContain(text);
  });
});

describe("/dev/spidev0.1", () => {
  let messages: SpiTransfer[][];
  let fault: Error | undefined;
  let opened: unknown[];
  let closed: number;

  beforeEach(() => {
    messages = [];
    fault = undefined;
    opened = [];
    closed = 0;
  });

  function library(): SpiLibrary {
    const target = attachSpi(at.module);
    return {
      open(...[bus, device, options, done]) {
        opened.push(bus, device, options);
        queueMicrotask(() => done(fault));
        return {
          transfer(message, done) {
            messages.push(message);
            target.select();
            for (const { sendBuffer, receiveBuffer } of message) {
              sendBuffer.forEach((byte, i) => {
                receiveBuffer[i] = target.exchange(byte);
              });
            }
            target.deselect();
            queueMicrotask(() => done(fault));
          },
          close(done) {
            closed++;
            queueMicrotask(() => done(null));
          },
        };
      },
    };
  }

  async function open(): Promise<SakuraModule> {
    const { clock } = at;
    const bus = await openLinuxSpi({ bus: 0, device: 1, speed: 250_000, clock, library: library() });
    return SakuraModule.over(spiExchange(bus, { clock }), { clock });
  }

  it("is driven in mode 0, with 20 µs between bytes and 10 ms before the answer, in one message", async () => {
    const module = await open();
    expect(opened).toEqual([0, 1, { mode: 0, maxSpeedHz: 250_000 }]);
    expect(await done(module.getUniqueId())).toBe("16B0100260");
    const [message = []] = messages;
    expect(message.map(({ microSecondDelay }) => microSecondDelay)).toEqual([20, 20, 10_000, ...Array(12).fill(20), 0]);
    expect(message.map(({ byteLength }) => byteLength)).toEqual(Array(16).fill(1));
    await module.close();
    expect(closed).toBe(1);
  });

  it("carries 255 bytes each way within what the kernel takes as one message", async () => {
    const module = await open();
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => 255 - i);
    expect(await done(module.echoBack(bytes))).toEqual(bytes);
    expect(messages[0]?.length).toBeLessThanOrEqual(511);
    await module.close();
  });

  it("is given the time of its bits on top of the timeout, and of its wait", async () => {
    const { clock } = at;
    const slow = library();
    const bus = await openLinuxSpi({
      bus: 0,
      device: 1,
      speed: 1000,
      clock,
      library: {
        open(...parameters) {
          const handle = slow.open(...parameters);
          return {
            ...handle,
            // 513 bytes of 8 ms and 20 µs.
            transfer: (message, done) => void clock.after(8 * 513, () => handle.transfer(message, done)),
          };
        },
      },
    });
    const module = SakuraModule.over(spiExchange(bus, { clock, waitMs: 65 }), { clock, timeoutMs: 50, retries: 0 });
    const bytes = new Uint8Array(252).fill(7);
    expect(await done(module.echoBack(bytes))).toEqual(bytes);
    await module.close();
  });

  it("whose transfer fails says so", async () => {
    const module = await open();
    fault = systemError("EIO");
    const { message } = await failsWith("PORT_FAILED", done(module.getUniqueId()));
    expect(message).toContain("/dev/spidev0.1 failed while exchanging");
    fault = undefined;
    await module.close();
  });

  it.each([
    ["ENOENT", "PORT_NOT_FOUND", "raspi-config nonint do_spi 0"],
    ["EACCES", "PORT_DENIED", "usermod -aG spi"],
  ] as const)("that cannot be opened (%s) is %s", async (errno, code, text) => {
    fault = systemError(errno);
    const { message } = await failsWith(code, open());
    expect(message).toContain("/dev/spidev0.1");
    expect(message).toContain(text);
  });
});

describe("without their libraries", () => {
  it.each([
    ["i2c:/dev/i2c-1", "i2c-bus"],
    ["spi:/dev/spidev0.0", "spi-device"],
  ])("%s says what to run", async (uri, library) => {
    const { message, context } = await failsWith("UNSUPPORTED", SakuraModule.open(uri));
    expect(message).toContain(`npm install ${library}`);
    expect(message).toContain(`npm install-scripts approve ${library}`);
    expect(context).toMatchObject({ library });
  });

  it("a library that is there and does not load has not been built", async () => {
    const broken = "data:text/javascript,throw new Error('Could not locate the bindings file')";
    const { message } = await failsWith(
      "UNSUPPORTED",
      loadNativeLibrary(broken, (_loaded): _loaded is object => true),
    );
    expect(message).toContain("Could not locate the bindings file): it has not been built");
  });
});
