import { Module } from '@nestjs/common';
import { Account } from './account.entity.ts';
import { AccountsService } from './accounts.service.ts';
import { ApiToken } from './api-token.entity.ts';
import { ApiTokensService } from './api-tokens.service.ts';
import { AuditService } from './audit.service.ts';
import { AuditEntry } from './audit-entry.entity.ts';
import { EmailConfirmations } from './email-confirmations.service.ts';
import { PasswordResets } from './password-resets.service.ts';
import { Project } from './project.entity.ts';
import { ProjectsService } from './projects.service.ts';
import { Session } from './session.entity.ts';
import { SessionsService } from './sessions.service.ts';
import { SshKey } from './ssh-key.entity.ts';
import { SshKeysService } from './ssh-keys.service.ts';

/** Tables of this feature, for the app's data source. */
export const accountsEntities = [Account, ApiToken, AuditEntry, Project, Session, SshKey];

const services = [
  AccountsService,
  ApiTokensService,
  AuditService,
  EmailConfirmations,
  PasswordResets,
  ProjectsService,
  SessionsService,
  SshKeysService,
];

@Module({ providers: services, exports: services })
export class AccountsModule {}
