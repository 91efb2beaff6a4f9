/** What a job may make the client of a worker do. */
import assert from "node:assert/strict";
import { jobConnector } from "../../../commands/worker/connect_job.ts";
import type { WorkerFlags } from "../../../commands/worker/worker_flags.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { resolveRedis } from "../../../lib/config/resolve_redis.ts";
import { FLEET_PROTOCOL } from "../../../lib/fleet/job_spec.ts";
import { RedisServer, redisServer } from "../../support/redis_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test({
  name: "a job cannot make a worker send files of its machine",
  ignore: redisServer === undefined,
  async fn() {
    await using server = await RedisServer.start();
    using folder = temporaryFolder();
    const secret = folder.write("secret.pdf", "%PDF-1.4 secret");
    const single = folder.write("single.yaml", "models: [{id: mock, provider: mock}]\n");
    const pool = folder.write("pool.yaml", "batch: {endpoints: [{model: mock, provider: mock}]}\n");
    for (const [file, name] of [[single, "mock"], [pool, undefined]] as const) {
      const env = { FLEXLLM_HOME: folder.path, FLEXLLM_TRUST: "1" };
      const config = loadConfig(env, folder.path, file);
      const redis = resolveRedis(config, env, { redis: server.url })!;
      const connect = jobConnector({ config, flags: { adaptive: true } as WorkerFlags, redis });
      const { completions, close } = await connect({
        ...{ protocol: FLEET_PROTOCOL, version: "0", id: "trap", generation: "1", lease: 60 },
        ...{ host: "elsewhere", pid: 1, name, models: ["mock"], baseUrls: [], template: {} },
      });
      for (const url of [secret, `file://${secret}`]) {
        const content = [{ type: "file" as const, file: { file_data: url } }];
        await assert.rejects(
          completions.complete([{ role: "user", content }], {}, undefined),
          /local files are not allowed here/,
        );
      }
      await close!();
    }
  },
});
