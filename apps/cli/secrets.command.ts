import type { Command } from 'commander';
import type { DataSource } from 'typeorm';
import { secretKeys } from '#libs/config';
import { sealedUrls } from '#libs/imports';
import { sealedScripts } from '#libs/rehearsals';
import { adoptKey, EnvelopeCipher, reseal, type SealedColumn } from '#libs/secrets';
import { sealedServerSecrets } from '#libs/servers';
import { INSTALLATION, withInstallation } from './installation.ts';

/** Whatever is kept sealed for longer than two days. Mails, links and answers are not. */
export const SEALED: readonly SealedColumn[] = [sealedServerSecrets, sealedScripts, sealedUrls];
const PROGRESS_EVERY_ROWS = 1000;

export function registerSecrets(program: Command): void {
  const secrets = program.command('secrets').description('what is sealed at rest');
  secrets
    .command('reseal')
    .description('seal everything under SERVERY_SECRET_KEY that is sealed under a former key')
    .action(resealAll);
  secrets
    .command('adopt')
    .description('go on under SERVERY_SECRET_KEY where the key before it is lost, with all that it sealed')
    .action(adopt);
}

async function adopt(): Promise<void> {
  await withInstallation(async ({ dataSource, environment, audit }) => {
    await adoptKey(dataSource, new EnvelopeCipher(secretKeys(environment)));
    await audit('secrets.adopt', INSTALLATION);
    process.stdout.write(
      '✔ Secrets are sealed under SERVERY_SECRET_KEY from now on. Start the programs; "servery secrets reseal" names what stays shut.\n',
    );
  });
}

async function resealAll(): Promise<void> {
  await withInstallation(async ({ dataSource, environment, audit }) => {
    const cipher = new EnvelopeCipher(secretKeys(environment));
    let isAllReadable = true;
    for (const column of SEALED) {
      isAllReadable = (await resealOne(dataSource, cipher, column)) && isAllReadable;
    }
    await audit('secrets.reseal', INSTALLATION);
    if (isAllReadable) {
      process.stdout.write(
        'Nothing that lasts needs a former key. Links, unsent mails and repeated requests from before still do, for two days.\n',
      );
    } else process.exitCode = 1;
  });
}

async function resealOne(
  dataSource: DataSource,
  cipher: EnvelopeCipher,
  sealed: SealedColumn,
): Promise<boolean> {
  const { count, unreadable } = await reseal(dataSource, cipher, sealed, (done, total) => {
    if (done % PROGRESS_EVERY_ROWS === 0) process.stdout.write(`  … ${sealed.table}: ${done} of ${total}\n`);
  });
  process.stdout.write(`✔ ${sealed.table}: ${count} sealed anew\n`);
  if (unreadable.length === 0) return true;
  process.stderr.write(
    `✖ ${sealed.table}: no key opens ${unreadable.join(', ')}: add the one that sealed them to SERVERY_FORMER_SECRET_KEYS\n`,
  );
  return false;
}
