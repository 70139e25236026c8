import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { z } from 'zod';

const sunkMail = z.object({
  /** Counts up from 1, and never again after a restart. */
  id: z.int(),
  received: z.string(),
  /** The recipients of the envelope: who would have got it. */
  recipients: z.array(z.string()),
  message_id: z.string(),
  from: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  /** As it came, headers and all. */
  raw: z.string(),
});

/** A mail that went no further. */
export type SunkMail = z.output<typeof sunkMail>;

const FILE = /^mail-(\d+)\.json$/;

/** The mails that were received last, the newest first; each is a file of its own where there is a folder. */
export class Mailbox {
  readonly #folder: string | undefined;
  readonly #most: number;
  #mails: SunkMail[] = [];
  #lastId = 0;

  constructor({ folder, most }: { readonly folder: string | undefined; readonly most: number }) {
    this.#folder = folder;
    this.#most = most;
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(folder).filter((name) => FILE.test(name));
    this.#mails = names.flatMap((name) => readMail(join(folder, name))).sort((a, b) => b.id - a.id);
    this.#lastId = this.#mails[0]?.id ?? 0;
    this.#forget();
  }

  list(): readonly SunkMail[] {
    return this.#mails;
  }

  get(id: number): SunkMail | undefined {
    return this.#mails.find((mail) => mail.id === id);
  }

  async add(raw: Buffer, recipients: readonly string[]): Promise<void> {
    const parsed = await PostalMime.parse(raw);
    this.#lastId += 1;
    const mail: SunkMail = {
      id: this.#lastId,
      received: new Date().toISOString(),
      recipients: [...recipients],
      message_id: parsed.messageId ?? '',
      from: parsed.from?.address ?? '',
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
      html: parsed.html ?? '',
      raw: raw.toString('utf8'),
    };
    this.#write(mail);
    this.#mails.unshift(mail);
    this.#forget();
  }

  /** Whole or not at all: a kill in between leaves no half of a mail. */
  #write(mail: SunkMail): void {
    if (this.#folder === undefined) return;
    const draft = join(this.#folder, 'draft');
    writeFileSync(draft, JSON.stringify(mail), { mode: 0o600 });
    renameSync(draft, join(this.#folder, `mail-${mail.id}.json`));
  }

  #forget(): void {
    for (const { id } of this.#mails.splice(this.#most)) {
      if (this.#folder !== undefined) rmSync(join(this.#folder, `mail-${id}.json`), { force: true });
    }
  }
}

function readMail(path: string): SunkMail[] {
  try {
    return [sunkMail.parse(JSON.parse(readFileSync(path, 'utf8')))];
  } catch {
    return [];
  }
}
