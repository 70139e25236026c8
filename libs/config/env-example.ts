import { variableDocs } from './environment.ts';

/**
 * The text of `.env.example`: each variable with its meaning, optional ones commented out. The spec compares the
 * file with it, and writes it anew when asked: `npx vitest run libs/config -u`.
 */
export function envExample(): string {
  const blocks = variableDocs().map(({ name, description, required, defaultValue }) => {
    const assignment = required ? `${name}=` : `#${name}=${defaultValue ?? ''}`;
    return `# ${description}${required ? ' (required)' : ''}\n${assignment}\n`;
  });
  return `# The environment of Servery's api and worker. \`npm run up\` sets all of it by itself.\n\n${blocks.join('\n')}`;
}
