import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makePrivateFile, replaceFile } from "../../host/config/write-file.ts";
import { failsWith } from "../support/errors.ts";

function workplace(): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-write-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("a file that is replaced", () => {
  it("keeps its mode, and leaves nothing beside it", async () => {
    const directory = workplace();
    const file = join(directory, "a.yaml");
    writeFileSync(file, "old", { mode: 0o644 });
    await replaceFile(file, "new");
    expect(readFileSync(file, "utf8")).toBe("new");
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory)).toEqual(["a.yaml"]);
  });

  it("is its owner's alone when it was not there", async () => {
    const file = join(workplace(), "a.yaml");
    await replaceFile(file, "new");
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is what a symbolic link points to, not the link", async () => {
    const directory = workplace();
    mkdirSync(join(directory, "real"));
    writeFileSync(join(directory, "real", "a.yaml"), "old");
    symlinkSync(join("real", "a.yaml"), join(directory, "link.yaml"));
    await replaceFile(join(directory, "link.yaml"), "new");
    expect(lstatSync(join(directory, "link.yaml")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, "real", "a.yaml"), "utf8")).toBe("new");
    expect(readdirSync(directory).sort()).toEqual(["link.yaml", "real"]);
  });

  it("that cannot be is as it was", async () => {
    const directory = workplace();
    mkdirSync(join(directory, "a.yaml", "within"), { recursive: true });
    await failsWith("FILE_FAILED", replaceFile(join(directory, "a.yaml"), "new"));
    await failsWith("FILE_FAILED", replaceFile(join(directory, "no", "a.yaml"), "new"));
    expect(readdirSync(directory)).toEqual(["a.yaml"]);
    expect(readdirSync(join(directory, "a.yaml"))).toEqual(["within"]);
  });
});

describe("a private file", () => {
  it("is made once, for its owner alone", async () => {
    const file = join(workplace(), "certs", "key.pem");
    expect(await makePrivateFile(file, "one")).toBe(true);
    expect(await makePrivateFile(file, "one")).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("one");
    if (process.platform !== "win32") {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    }
  });

  it("takes the place of half of one, and of one that others may read", async () => {
    const file = join(workplace(), "key.pem");
    writeFileSync(file, "on", { mode: 0o644 });
    expect(await makePrivateFile(file, "one")).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("one");
    expect(readdirSync(join(file, ".."))).toEqual(["key.pem"]);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
