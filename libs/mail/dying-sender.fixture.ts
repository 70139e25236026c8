import { createDataSource } from '#libs/database';
import { type MailCarrier, MailSender } from '#libs/mail';
import { smtpCarrier } from '#libs/mail/smtp';

/** A worker that is killed the moment the mail server has taken a mail, before it could write that down. */
const [databaseUrl = '', smtpUrl = ''] = process.argv.slice(2);
const smtp = smtpCarrier({ url: smtpUrl, from: 'Servery <servery@example.org>' });
const carrier: MailCarrier = {
  async send(mail) {
    await smtp.send(mail);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
};
const dataSource = await createDataSource(databaseUrl).initialize();
await new MailSender(dataSource, carrier, { siteUrl: 'http://127.0.0.1', open: () => '' }).sendDue();
