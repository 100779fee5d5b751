import { expect, it } from "vitest";
import { tellAll } from "../../host/bridge/tell-all.ts";
import { uncaughtBy } from "../support/uncaught.ts";

it("tells the others when a listener throws, and lets nobody take that for a failure of theirs", async () => {
  const told: string[] = [];
  const listeners = [
    () => {
      throw new Error("from the listener");
    },
    (value: string) => void told.push(value),
  ];
  expect(await uncaughtBy(() => tellAll(listeners, "news"))).toMatchObject({ message: "from the listener" });
  expect(told).toEqual(["news"]);
});
