import type { EntityManager } from 'typeorm';
import type { EnvelopeCipher, SealedColumn } from '#libs/secrets';

/** The scripts of rehearsals, which may hold secrets: sealed at rest, and gone when they have had their use. */
export class ScriptVault {
  private readonly cipher: EnvelopeCipher;

  constructor(cipher: EnvelopeCipher) {
    this.cipher = cipher;
  }

  async put(manager: EntityManager, rehearsalId: number, script: string): Promise<void> {
    await manager.query('UPDATE rehearsals SET script = $2 WHERE id = $1', [
      rehearsalId,
      this.cipher.seal(script, contextOf(rehearsalId)),
    ]);
  }

  /** Undefined when it was destroyed. */
  async read(manager: EntityManager, rehearsalId: number): Promise<string | undefined> {
    const [row] = await manager.query<{ script: Buffer | null }[]>(
      'SELECT script FROM rehearsals WHERE id = $1',
      [rehearsalId],
    );
    return row?.script ? this.cipher.open(row.script, contextOf(rehearsalId)) : undefined;
  }
}

export const sealedScripts: SealedColumn = {
  table: 'rehearsals',
  column: 'script',
  key: ['id'],
  contextOf,
};

function contextOf(rehearsalId: number | string): string {
  return `rehearsal:${rehearsalId}:script`;
}
