// Azure's JavaScript clients take the article's example to the far shore and back, on a served lab.

import { after, test } from "node:test";
import { AWAY, FAR, HOME, MACHINES, NEAR, counted } from "./clients.js";
import * as home from "./home.js";
import * as recovery from "./recovery.js";

const NAMES = Object.keys(MACHINES);

async function each(step) {
  for (const name of NAMES) await step(name);
}

after(() => console.log(`counted: ${counted.calls} calls, ${counted.checks} checks`));

test("to the far shore and back", async (story) => {
  const step = async (name, run) => {
    let failure;
    await story.test(name, async () => {
      try {
        await run();
      } catch (error) {
        failure = error;
        throw error;
      }
    });
    // What comes after stands on it.
    if (failure) throw failure;
  };
  await step("hub and spokes", async () => {
    await home.groups();
    await home.hubAndSpokes(HOME, NEAR, "Source-Hub-vNet", "");
    await home.appliance(HOME, NEAR, "Source-Hub-vNet", "nva");
  });
  await step("gateway and peerings", async () => {
    await home.gateway(HOME, NEAR, "Source-Hub-vNet", "ergw-source-hub");
    await home.peerings(HOME, "Source-Hub-vNet", "");
  });
  await step("circuits and the connection", async () => {
    await home.circuit("er-hongkong", "Hong Kong", 1000, "172.16.0.0/30", "172.16.0.4/30", 100);
    await home.circuit("er-singapore", "Singapore", 200, "172.16.0.8/30", "172.16.0.12/30", 200);
    await home.connection(HOME, NEAR, "cn-source-hub", "ergw-source-hub", "er-hongkong");
  });
  await step("machines that are reached", async () => {
    await home.machines();
    await home.reaches();
    await home.routes();
  });
  await step("the far shore", async () => {
    await home.hubAndSpokes(AWAY, FAR, "Target-Hub-vNet", "-asr");
    await home.appliance(AWAY, FAR, "Target-Hub-vNet", "nva-asr");
    await home.gateway(AWAY, FAR, "Target-Hub-vNet", "ergw-target-hub");
    await home.peerings(AWAY, "Target-Hub-vNet", "-asr");
  });
  await step("protection", async () => {
    await recovery.vault();
    await each(recovery.protect);
    await each((name) => recovery.isProtected(name, "near"));
  });
  await step("a drill", () => recovery.drill("web1", "near"));
  await step("failover and commit", async () => {
    await each((name) => recovery.failOver(name, "near", AWAY));
    await home.disconnect(HOME, "cn-source-hub");
    await home.connection(AWAY, FAR, "cn-target-hub", "ergw-target-hub", "er-singapore");
    await home.reaches();
  });
  await step("switched protection", async () => {
    await each((name) => recovery.switchProtection(name, "near", "far", AWAY, HOME));
    await each((name) => recovery.isProtected(name, "far"));
  });
  await step("back home", async () => {
    await each((name) => recovery.failOver(name, "far", HOME));
    await home.disconnect(AWAY, "cn-target-hub");
    await home.connection(HOME, NEAR, "cn-source-hub", "ergw-source-hub", "er-hongkong");
    await home.reaches();
    await each((name) => recovery.switchProtection(name, "far", "near", HOME, AWAY));
    await each((name) => recovery.isProtected(name, "near"));
  });
  await step("what the jobs say, and an end", async () => {
    await recovery.jobs();
    await recovery.disable();
    await home.disconnect(HOME, "cn-source-hub");
  });
});
