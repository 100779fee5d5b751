import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority, loadAuthority } from "../../../emulator/aws-iot/index.ts";
import { isSakuraError } from "../../../protocol/errors.ts";

const made = createAuthority();

describe("the authority", () => {
  it("says what it is, and signs itself as an authority", async () => {
    const { certificate, privateKey } = await made;
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe("CN=sakuraio-kit throwaway CA — not for production");
    expect(parsed.issuer).toBe(parsed.subject);
    expect(parsed.ca).toBe(true);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
    expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  });

  it("issues server certificates for names and addresses", async () => {
    const authority = await made;
    const { certificate, privateKey } = await authority.issueServer(["localhost", "127.0.0.1", "::1"]);
    const parsed = new X509Certificate(certificate);
    expect(parsed.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(parsed.ca).toBe(false);
    expect(parsed.checkHost("localhost")).toBe("localhost");
    expect(parsed.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(parsed.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
    expect(parsed.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  });

  it("issues client certificates, named as AWS names them", async () => {
    const authority = await made;
    const { certificate, certificateId } = await authority.issueClient("plant, 1 = 東京");
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toContain("東京");
    expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(parsed.ca).toBe(false);
    expect(certificateId).toBe(createHash("sha256").update(parsed.raw).digest("hex"));
    expect(certificateId).toMatch(/^[0-9a-f]{64}$/);
  });

  it("gives each certificate a serial number and a key of its own", async () => {
    const authority = await made;
    const issued = await Promise.all(["a", "a", "a"].map((name) => authority.issueClient(name)));
    const parsed = issued.map(({ certificate }) => new X509Certificate(certificate));
    expect(new Set(parsed.map(({ serialNumber }) => serialNumber)).size).toBe(3);
    expect(new Set(issued.map(({ privateKey }) => privateKey)).size).toBe(3);
    for (const { serialNumber } of parsed) expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it("issues for the time that is asked for", async () => {
    const authority = await made;
    const notBefore = new Date("2018-06-21T01:10:57Z");
    const notAfter = new Date("2019-06-21T01:10:57Z");
    const parsed = new X509Certificate((await authority.issueClient("old", { notBefore, notAfter })).certificate);
    expect(parsed.validFrom).toBe("Jun 21 01:10:57 2018 GMT");
    expect(parsed.validTo).toBe("Jun 21 01:10:57 2019 GMT");
  });

  it("is itself again when loaded", async () => {
    const authority = await made;
    const loaded = loadAuthority(authority);
    const parsed = new X509Certificate((await loaded.issueClient("a")).certificate);
    expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  });

  it("refuses what is not an authority and its key", async () => {
    const authority = await made;
    const other = await createAuthority();
    const leaf = await authority.issueClient("a");
    const { certificate, privateKey } = authority;
    for (const pair of [
      { certificate, privateKey: other.privateKey },
      { certificate: leaf.certificate, privateKey: leaf.privateKey },
      { certificate, privateKey: "x" },
      { certificate: "x", privateKey },
    ]) {
      expect(() => loadAuthority(pair)).toThrow(expect.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT")));
    }
  });

  it("wants a name for a server", async () => {
    const authority = await made;
    await expect(authority.issueServer([])).rejects.toSatisfy((error) => isSakuraError(error, "INVALID_ARGUMENT"));
  });

  it("leaves nothing of what it lent to its library", () => {
    expect("getMetadata" in Reflect).toBe(false);
    expect("defineMetadata" in Reflect).toBe(false);
  });
});
