/**
 * Selects the keychain of the operating system.
 *
 * @module
 */
import process from "node:process";
import type { Environment } from "../files/paths.ts";
import { credentialLocker } from "./credential_locker.ts";
import type { Keychain } from "./keychain.ts";
import { macosKeychain } from "./macos_keychain.ts";
import { secretService } from "./secret_service.ts";

/**
 * The keychain of this system, or `undefined` if there is none.
 *
 * @param service the name under which the keychain lists our keys
 */
export function systemKeychain(
  env: Environment,
  service: string,
  platform: NodeJS.Platform = process.platform,
): Keychain | undefined {
  if (platform === "darwin") return macosKeychain(service);
  if (platform === "win32") return credentialLocker(service);
  return secretService(env, service);
}
