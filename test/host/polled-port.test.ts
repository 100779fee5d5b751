import { EventEmitter } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { PolledPort } from "../../host/adapter/polled-port.ts";
import { Received } from "../support/duplex.ts";

/** The library's poller, by hand. */
class HandPoller extends EventEmitter {
  readonly wishes: number[] = [];
  poll(events: number): void {
    this.wishes.push(events);
  }
}

describe.skipIf(process.platform === "win32")("PolledPort", () => {
  const READABLE = 1;
  const BOTH = 3;

  it("takes a read of 0 bytes for the end, and says so once", () => {
    const fd = openSync("/dev/null", "r+");
    const poller = new HandPoller();
    const errors: string[] = [];
    new PolledPort(fd, poller).on("error", ({ message }) => errors.push(message));
    poller.emit("readable", null);
    poller.emit("readable", null);
    closeSync(fd);
    expect(errors).toEqual(["it was hung up"]);
    expect(poller.wishes).toEqual([READABLE]);
  });

  it("goes on listening while a write waits: the other end may wait for that", async () => {
    const endpoint = await openPty();
    const fd = openSync(endpoint.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    const poller = new HandPoller();
    const port = new PolledPort(fd, poller);
    const received = new Received(endpoint.duplex);
    port.write(new Uint8Array(1_000_000));
    expect(poller.wishes).toEqual([READABLE, BOTH]);
    poller.emit("readable", null);
    expect(poller.wishes).toEqual([READABLE, BOTH, BOTH]);
    while (poller.wishes.at(-1) === BOTH) {
      await new Promise((resolve) => setImmediate(resolve));
      poller.emit("writable", null);
    }
    expect((await received.take(1_000_000)).length).toBe(1_000_000);
    port.stop();
    closeSync(fd);
    await endpoint.close();
  });
});
