/** `sakuraio feed` as a process, at an emulated module on a pseudo-terminal. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { feedVerb } from "../../host/cli/feed.ts";
import { Running, sakuraio } from "../support/command.ts";
import { FakeIo } from "../support/fake-io.ts";

let folder: string;
let link: string;
let pty: PtyEndpoint;
let emulated: EmulatedModule;
let log: MessageLog;

async function plugIn(): Promise<void> {
  pty = await openPty({ link });
  attachUart(emulated, pty.duplex);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sakuraio-feed-"));
  link = join(folder, "module");
  log = new MessageLog();
  emulated = new EmulatedModule({ uplink: log, sendTimeMs: 0 });
  await plugIn();
});
afterEach(async () => {
  await pty.close();
  rmSync(folder, { recursive: true });
});

const values = () => log.messages.flatMap((message) => (message.type === "channels" ? message.payload.channels : []));

/** A file in the folder. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe.skipIf(process.platform === "win32")("sakuraio feed", () => {
  it("sends a sine when told no more than that, and takes what comes down", async () => {
    const feeding = new Running(["feed", "--port", `uart:${link}`, "--sine", "--every", "20"]);
    await feeding.shows(/sent {6}1:f=25.01\n/);
    emulated.deliver({
      type: "channels",
      module: emulated.id,
      payload: { channels: [{ channel: 10, type: "I", value: 7 }] },
    });
    await feeding.shows(/received {2}ch {2}10 {2}I {2}7 {2}/);
    const { code, stdout, stderr } = await feeding.stop("SIGINT");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^sent {6}1:f=25\nsent {6}1:f=25.01\n/);
    const sent = (stdout.match(/^sent /gm) ?? []).length;
    expect(stdout).toMatch(new RegExp(`\\n${sent} rounds: ${sent} values sent, 1 received\\n$`));
    expect(values()).toHaveLength(sent);
  });

  it("sends several waves together, as many rounds as it is told", async () => {
    const waves = ["--ramp", "0:I=0..4/40ms", "--sine", "3:d=-1..1/40ms", "--sine", "--walk", "9", "--seed", "3"];
    const { code, stdout, stderr } = await sakuraio(
      ...["feed", "--port", `uart:${link}`, ...waves, "--rate", "100", "--rounds", "3", "--json"],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^\{"event":"sent","round":2,"channels":\[\{"channel":3,"type":"d","value":1\},\{"channel":1,"type":"f","value":25\.01?\},\{"channel":0,"type":"I","value":1\},\{"channel":9,/,
    );
    expect(lines[3]).toBe(
      '{"event":"summary","rounds":3,"sent":12,"unknown":0,"dropped":0,"received":0,"waiting":0,"in_module":0}',
    );
    expect(log.messages).toHaveLength(3);
  });

  it("sends a file's rows, exact, those of one time together", async () => {
    const csv = file(
      "r.csv",
      "time,channel,type,value\n10,1,L,18446744073709551615\n10,2,b,0f1e2d3c4b5c6b7a\n10.05,3,f,0.001\n",
    );
    const { code, stdout, stderr } = await sakuraio("feed", "--port", `uart:${link}`, "--csv", csv, "--speed", "5");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      "sent      1:L=18446744073709551615 2:b=0f1e2d3c4b5c6b7a\nsent      3:f=0.001\n2 rounds: 3 values sent\n",
    );
    expect(log.messages).toHaveLength(2);
  });

  it("gets every value there once over a bad line, a cable that is pulled, and a time without network", async () => {
    emulated.setFaults(parseFaults("flip=0.002,drop=0.001,busy=0.05,seed=7"));
    const rounds = 60;
    const feeding = new Running([
      ...["feed", "--port", `uart:${link}`, "--ramp", `0:i=0..${rounds}/${rounds * 10}ms`, "--every", "10"],
      ...["--rounds", `${rounds}`, "--timeout", "300", "--json"],
    ]);
    await feeding.next("sent", ({ round }) => Number(round) >= 10);
    await pty.close();
    await plugIn();
    await feeding.next("sent", ({ round }) => Number(round) >= 20);
    emulated.setOnline(false);
    await feeding.next("trouble");
    emulated.setOnline(true);
    const { code, stderr } = await feeding.exited;
    const { sent, unknown, waiting, dropped } = await feeding.next("summary");
    expect({ sum: Number(sent) + Number(unknown), waiting, dropped }).toEqual({ sum: rounds, waiting: 0, dropped: 0 });
    expect(code).toBe(Number(unknown) > 0 ? 1 : 0);
    expect(stderr).toMatch(/waiting for it to come back\n/);
    const got = values().map(({ value }) => Number(value));
    expect(new Set(got).size).toBe(got.length);
    // What it does not know has arrived or not; what it says is sent has.
    expect(got.length).toBeGreaterThanOrEqual(Number(sent));
    expect(got).toEqual([...got].sort((a, b) => a - b));
  });

  it("shows one line on a terminal where messages come too fast to read", async () => {
    const io = new FakeIo();
    Object.assign(io.stdout, { isTTY: true, columns: 80 });
    const options = { port: `uart:${link}`, ramp: [""], rate: 100, rounds: 3, receive: true, json: false };
    expect(await feedVerb(options, io)).toBe(0);
    expect(io.out.split("\r\u001b[K")).toEqual([
      "",
      "sent 1 in 1 message, 0 waiting, 0 unknown, 0 received",
      "3 rounds: 3 values sent\n",
    ]);
  });

  it("says what is left, and exits 1, when the network does not come", async () => {
    emulated.setOnline(false);
    const feeding = new Running([...["feed", "--port", `uart:${link}`, "--ramp", "--every", "1", "--rounds", "3"]]);
    const { code, stdout, stderr } = await feeding.exited;
    expect(code).toBe(1);
    expect(stdout).toBe("3 rounds: 0 values sent, 3 not sent (in the module's TX queue)\n");
    expect(stderr).toMatch(/^sakuraio: the module could not send.* \(1 value waiting for the next round\)\n$/);
  });

  it.each([
    [["--csv", "WRONG"], /wrong.csv, line 3, column value: "x": type i takes an integer\n$/],
    [["--csv", "TIMED", "--every", "5"], /has times: its pace is --speed, not --every or --rate\n$/],
    [["--csv", "PLAIN", "--speed", "5"], /has no column "time": its pace is --every or --rate, not --speed\n$/],
    [["--sine", "1:f=3"], /"1:f=3": not understood; a sine looks like 1:f=20..30\/60s\n$/],
    [["--sine", "1", "--ramp", "1"], /the ramp on channel 1: it has a wave already\n$/],
    [["--sine", "--speed", "5"], /--speed goes with a --csv that has times/],
    [["--sine", "--csv", "PLAIN"], /cannot be used with/],
    [["--sine", "--rate", "0"], /from 0\.0000116, one in a day, up to 1000/],
    [["--sine", "--rate", "0.0000001"], /one in a day/],
    [["--sine", "--rate", "5", "--every", "5"], /cannot be used with/],
    [[], /what is to be sent\? --sine, --ramp, --walk or --csv FILE\n$/],
  ])("takes %j for wrong usage", async (args, message) => {
    const files = new Map([
      ["WRONG", file("wrong.csv", "channel,type,value\n1,i,1\n1,i,x\n")],
      ["TIMED", file("timed.csv", "channel,type,value,time\n1,i,1,0\n")],
      ["PLAIN", file("plain.csv", "channel,type,value\n1,i,1\n")],
    ]);
    const { code, stdout, stderr } = await sakuraio(
      ...["feed", "--port", `uart:${link}`, ...args.map((arg) => files.get(arg) ?? arg)],
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});
