/** What the endpoint does wrong on purpose; in virtual time. */
import { describe, expect, it } from "vitest";
import { type AwsIotEndpoint, parseEndpointFaults } from "../../../emulator/aws-iot/index.ts";
import { parseLimits } from "../../../emulator/aws-iot/limits.ts";
import { VirtualClock } from "../../../emulator/clock.ts";
import { thrown } from "../../protocol/thrown.ts";
import {
  CONNACK,
  CONNECT_A,
  connectClient,
  everything,
  hex,
  openRaw,
  recordEvents,
  registered,
  startEndpoint,
} from "./support.ts";

const publish = (id: number) => hex(`32 06 0001 61 ${id.toString(16).padStart(4, "0")} 78`);
const puback = (id: number) => `4002${id.toString(16).padStart(4, "0")}`;
const PING = hex("c0 00");
const PONG = "d000";

async function start() {
  const clock = new VirtualClock();
  const endpoint = await startEndpoint({ clock });
  return { clock, endpoint, log: recordEvents(endpoint) };
}

async function connected(endpoint: AwsIotEndpoint) {
  const raw = openRaw(endpoint, await registered(endpoint, everything));
  raw.socket.write(CONNECT_A);
  await raw.received(4);
  return raw;
}

describe("the endpoint's faults", () => {
  it("drop every connection, and take new ones", async () => {
    const { endpoint, log } = await start();
    const raw = await connected(endpoint);
    await connectClient(endpoint, await registered(endpoint, everything), { clientId: "b" });
    expect(endpoint.faults.drop()).toBe(2);
    expect(await raw.ended).toBe(CONNACK);
    expect((await log.first("disconnected")).reason).toBe("fault");
    await connected(endpoint);
  });

  it("drop each connection after so many publishes: the last is taken, and has no PUBACK", async () => {
    const { endpoint, log } = await start();
    endpoint.faults.set(parseEndpointFaults("drop-after=2"));
    for (let i = 0; i < 2; i++) {
      const raw = await connected(endpoint);
      raw.socket.write(publish(1));
      await raw.received(8);
      raw.socket.write(Buffer.concat([publish(2), publish(3)]));
      expect(await raw.ended).toBe(CONNACK + puback(1));
    }
    expect(log.all.filter(({ type }) => type === "published")).toHaveLength(4);
  });

  it("keep back every PUBACK, every third, or those of a while", async () => {
    const { clock, endpoint, log } = await start();
    const raw = await connected(endpoint);
    endpoint.faults.set(parseEndpointFaults("no-puback"));
    raw.socket.write(publish(1));
    expect(await log.first("withheld")).toEqual({
      type: "withheld",
      clientId: "a",
      what: "puback",
      packetId: 1,
      reason: "fault",
    });
    endpoint.faults.set(parseEndpointFaults("no-puback=3"));
    for (let id = 2; id <= 8; id++) raw.socket.write(publish(id));
    await raw.received(4 + 5 * 4);
    endpoint.faults.set(parseEndpointFaults("no-puback-for=1000"));
    raw.socket.write(Buffer.concat([publish(9), PING]));
    await raw.received(4 + 5 * 4 + 2);
    await clock.advance(1_000);
    raw.socket.write(publish(10));
    const acknowledged = [2, 3, 5, 6, 8].map(puback).join("");
    expect(await raw.received(4 + 6 * 4 + 2)).toBe(CONNACK + acknowledged + PONG + puback(10));
    expect(log.all.filter(({ type }) => type === "published")).toHaveLength(10);
  });

  it("do not answer a SUBSCRIBE, and carry it out", async () => {
    const { endpoint, log } = await start();
    endpoint.faults.set(parseEndpointFaults("no-suback"));
    const raw = await connected(endpoint);
    raw.socket.write(Buffer.concat([hex("82 06 0005 0001 61 00"), PING]));
    await log.first("subscribed");
    expect(await raw.received(6)).toBe(CONNACK + PONG);
    expect(await log.first("withheld")).toMatchObject({ what: "suback", packetId: 5, reason: "fault" });
  });

  it("make everything late, in order", async () => {
    const { clock, endpoint, log } = await start();
    const raw = await connected(endpoint);
    endpoint.faults.set(parseEndpointFaults("delay=200"));
    raw.socket.write(publish(1));
    await log.first("published");
    await clock.advance(100);
    // Without a delay of its own it must not come first.
    endpoint.faults.set(parseEndpointFaults(""));
    raw.socket.write(PING);
    const late = raw.received(8);
    await clock.advance(99);
    expect(await Promise.race([late, Promise.resolve("nothing yet")])).toBe("nothing yet");
    await clock.advance(1);
    expect(await raw.received(10)).toBe(CONNACK + puback(1) + PONG);
  });

  it("refuse every CONNECT for a while, silently", async () => {
    const { clock, endpoint, log } = await start();
    endpoint.faults.refuse(5_000);
    const refused = openRaw(endpoint, await registered(endpoint, everything));
    refused.socket.write(CONNECT_A);
    expect(await refused.ended).toBe("");
    expect((await log.first("refused")).reason).toBe("fault");
    await clock.advance(5_000);
    await connected(endpoint);
  });

  it("stop listening for a while; connections that are there stay", async () => {
    const { clock, endpoint, log } = await start();
    const raw = await connected(endpoint);
    const port = endpoint.port;
    endpoint.faults.stopListening(5_000);
    expect(await log.first("listening")).toMatchObject({ listening: false });
    const refused = openRaw(endpoint, await registered(endpoint, everything));
    const error = await new Promise<Error>((resolve) => refused.socket.once("error", resolve));
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    raw.socket.write(PING);
    expect(await raw.received(6)).toBe(CONNACK + PONG);
    const again = new Promise<void>((resolve) => {
      endpoint.onEvent((event) => event.type === "listening" && event.listening && resolve());
    });
    await clock.advance(5_000);
    await again;
    expect(endpoint.port).toBe(port);
    await connectClient(endpoint, await registered(endpoint, everything), { clientId: "b" });
  });

  it("end with the endpoint, listening or not", async () => {
    const { endpoint } = await start();
    endpoint.faults.stopListening(5_000);
    await endpoint.close();
    await endpoint.close();
  });

  it.each([
    ["drop-after=0", "drop-after"],
    ["delay=", "delay"],
    ["delay", "delay"],
    ["no-suback=1", "no-suback"],
    ["no-puback,no-puback=2", "twice"],
    ["flip=1", "flip"],
  ])("are not understood as %s", (spec, place) => {
    expect(thrown("INVALID_ARGUMENT", () => parseEndpointFaults(spec)).message).toContain(place);
  });
});

describe("limits as text", () => {
  it("are on, off or a number", () => {
    expect(parseLimits(" publishRate=off, accountRate=2000,connectRate=on ")).toEqual({
      publishRate: false,
      accountRate: 2000,
      connectRate: true,
    });
    expect(parseLimits("")).toEqual({});
  });

  it.each(["publishRate", "publishRate=no", "publishrate=off", "toString=off", "payload=-1"])(
    "are not understood as %s",
    (text) => {
      expect(thrown("INVALID_ARGUMENT", () => parseLimits(text)).message).toContain("publishRate=off");
    },
  );
});
