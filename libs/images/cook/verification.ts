import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const FILE = 'verified.json';

const verificationSchema = z.strictObject({
  schema: z.literal(1),
  /** Of the disk that was booted and used. */
  sha256: z.string(),
  verifiedAt: z.iso.datetime(),
});

interface VerifiedDisk {
  /** The note lies beside it. */
  readonly diskPath: string;
  readonly sha256: string;
}

/** Writes beside an image that its disk was booted and used as its clients would, with what they saw. */
export async function noteVerified({ diskPath, sha256 }: VerifiedDisk, verifiedAt: Date): Promise<void> {
  const verification = { schema: 1, sha256, verifiedAt: verifiedAt.toISOString() };
  await writeFile(join(dirname(diskPath), FILE), `${JSON.stringify(verification, null, 2)}\n`);
}

/** When the disk of `folder` was last verified; null where that is not known of these very bytes. */
export async function verifiedAt(folder: string, sha256: string): Promise<Date | null> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => 'null');
  const parsed = verificationSchema.safeParse(parseJson(text));
  return parsed.data?.sha256 === sha256 ? new Date(parsed.data.verifiedAt) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
