/** A Python program on Debian's pyserial drives the emulated module: another language, another serial library. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Running } from "../../support/command.ts";

const DRIVER = fileURLToPath(new URL("driver.py", import.meta.url));

it("is driven by pyserial, twice over", async () => {
  const emulator = new Running(["emulate", "--uart", "pty", "--json"]);
  const { endpoints } = await emulator.next("ready");
  const path = (endpoints as { uart: string }).uart;
  for (const round of [1, 2]) {
    const driver = spawn("/usr/bin/python3", [DRIVER, path], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(driver.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value, `round ${round}`).toBe("16B0100260");
    expect((await lines.next()).value).toBe("sent");

    const { message } = await emulator.next("message");
    expect(message).toMatchObject({ module: "u0123456789ab", type: "channels" });
    const text = emulator.stdout.trim().split("\n").at(-1);
    expect(text).toContain('{"channel":1,"type":"l","value":-9223372036854775808,');
    expect(text).toContain('{"channel":2,"type":"L","value":18446744073709551615,');
    expect(text).toContain('{"channel":3,"type":"f","value":0.001,');
    expect(text).toContain('{"channel":4,"type":"i","value":-5,');

    emulator.say(
      '{"type":"channels","module":"u0123456789ab","payload":{"channels":[{"channel":7,"type":"b","value":"0f1e2d3c4b5c6b7a"}]}}',
    );
    expect(await emulator.next("downlink")).toMatchObject({ accepted: true });
    driver.stdin.end("go\n");
    expect((await lines.next()).value).toBe("7 b 0f1e2d3c4b5c6b7a");
    const [code] = driver.exitCode === null ? await once(driver, "exit") : [driver.exitCode];
    expect(code).toBe(0);
  }
  expect((await emulator.stop()).code).toBe(0);
});
