import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  byId,
  type RehearseUpgrade,
  rehearseUpgrade,
  rehearseUpgradeResponse,
  upgradeQuery,
  upgradeResponse,
} from '#libs/contracts';
import { UpgradesService } from '#libs/recipes';
import { RehearsalRequests, RehearsalsService } from '#libs/rehearsals';
import { presentAction } from '../actions/action.presenter.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { presentRehearsal } from '../rehearsals/rehearsal.presenter.ts';
import { presentChanges } from './cook.presenter.ts';

type ById = z.output<typeof byId>;

/** How servers of older images of a recipe become as those of a newer one, in place. */
@Controller('v1/cooks')
export class UpgradesController {
  constructor(
    private readonly upgrades: UpgradesService,
    private readonly requests: RehearsalRequests,
    private readonly rehearsals: RehearsalsService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Get(':id/upgrade')
  @Endpoint({
    summary: 'The script that makes of a server of an older image one of this cook’s, and what it changes',
    access: 'read',
    response: upgradeResponse,
  })
  async get(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: upgradeQuery }) { server }: z.output<typeof upgradeQuery>,
  ) {
    const { from, to, changes, script } = await this.upgrades.plan(projectId, id, server);
    const images = { from_image: from.id, to_image: to.id };
    return { upgrade: { server, ...images, changes: presentChanges(changes), script } };
  }

  @Post(':id/rehearsals')
  @Endpoint({
    summary: 'Rehearse that script on a clone of a server, checked by what the new image is checked by',
    access: 'write',
    response: rehearseUpgradeResponse,
    status: 201,
    idempotent: true,
    audit: 'rehearsal.create',
  })
  async rehearse(
    @ProjectId() projectId: number,
    @ResourceId() id: number,
    @Param({ schema: byId }) { id: cookId }: ById,
    @Body({ schema: rehearseUpgrade }) body: RehearseUpgrade,
  ) {
    const { from, to, script } = await this.upgrades.plan(projectId, cookId, body.server);
    const { rehearsal, action } = await this.requests.rehearse({
      ...{ id, projectId, serverId: body.server, currency: this.environment.SERVERY_CURRENCY, script },
      upgrade: { from: from.id, to: to.id },
      healthChecks: to.appliance.healthChecks,
      timeoutSeconds: body.timeout_seconds,
      keepCloneHours: body.keep_clone_hours,
    });
    const made = await this.rehearsals.get(projectId, rehearsal.id);
    return { rehearsal: presentRehearsal(made), action: presentAction(action) };
  }
}
