import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isUniqueViolation } from '#libs/database';
import { AccountsError, notFound } from './accounts.errors.ts';
import { MOST, tooMany } from './caps.ts';
import { Project } from './project.entity.ts';

@Injectable()
export class ProjectsService {
  constructor(private readonly dataSource: DataSource) {}

  /** All projects of an account, the oldest first. */
  list(accountId: number): Promise<Project[]> {
    return this.projects.find({ where: { accountId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  /** @throws AccountsError `project_not_found`, also for another account's project. */
  async get(accountId: number, id: number): Promise<Project> {
    const project = await this.projects.findOneBy({ id, accountId });
    if (!project) throw notFound('project_not_found', 'project', id);
    return project;
  }

  /** The project that a session works in unless it names another. */
  async first(accountId: number): Promise<Project> {
    const [project] = await this.list(accountId);
    if (!project) throw new AccountsError('project_not_found', 'the account has no project');
    return project;
  }

  /**
   * Repeating it with the same `id` creates one project.
   * @throws AccountsError `project_name_taken`, `too_many`
   */
  async create(accountId: number, input: { id: number; name: string }): Promise<Project> {
    try {
      // `ON CONFLICT (id)`, and not TypeORM's `orIgnore`, which would pass over a name that is taken as well.
      await this.dataSource.query(
        `INSERT INTO projects (id, account_id, name)
         SELECT $1, $2, $3 WHERE (SELECT count(*) FROM projects WHERE account_id = $2) < $4
         ON CONFLICT (id) DO NOTHING`,
        [input.id, accountId, input.name, MOST.projects],
      );
    } catch (error) {
      if (!isUniqueViolation(error, 'projects_name')) throw error;
      throw new AccountsError('project_name_taken', 'a project of this account has this name', 'name');
    }
    const project = await this.projects.findOneBy({ id: input.id, accountId });
    if (!project) throw tooMany('an account', MOST.projects, 'projects');
    return project;
  }

  private get projects() {
    return this.dataSource.getRepository(Project);
  }
}
