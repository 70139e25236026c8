import type { DataSource } from 'typeorm';
import type { ExportStore } from '#libs/exports';
import type { GuestReach, Hypervisor } from '#libs/hypervisor';
import type { AccessPublisher } from '#libs/networks';
import type { PaymentsService } from '#libs/payments';
import type { FindingsService } from '#libs/placement';
import type { ImageCook, RecipeSettings, Shelf } from '#libs/recipes';
import type { ScriptVault } from '#libs/rehearsals';
import type { SecretsStore } from '#libs/servers';
import type { CollectingDeps } from './collecting-deps.ts';
import type { ImportDeps } from './import-context.ts';

/** Where files of exports lie, and for how long. */
export interface ExportsDeps {
  readonly store: ExportStore;
  readonly keepDays: number;
}

/** What rehearsals need. */
export interface RehearsalDeps {
  readonly scripts: ScriptVault;
  /** For so long after the script, or the reboot, the checks may fail. */
  readonly checksSeconds: number;
}

/** What the cooks of customers' recipes need. */
export interface RecipeDeps {
  readonly shelf: Shelf;
  readonly kitchen: ImageCook;
  readonly settings: RecipeSettings;
}

/** What the workflows' steps work with. */
export interface WorkflowDeps {
  readonly dataSource: DataSource;
  readonly hypervisor: Hypervisor;
  readonly reach: GuestReach;
  readonly access: AccessPublisher;
  readonly payments: PaymentsService;
  readonly secrets: SecretsStore;
  readonly findings: FindingsService;
  readonly collecting: CollectingDeps;
  readonly exports: ExportsDeps;
  readonly imports: ImportDeps;
  readonly recipes: RecipeDeps;
  readonly rehearsals: RehearsalDeps;
  /** Where a customer returns to after confirming a payment with their bank. */
  readonly storefrontUrl: string;
}
