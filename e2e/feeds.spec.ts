import { expect, test } from './fixtures.ts';
import { watchForTrouble } from './page.ts';

test('tells how good each feed is, and that it does not know while the server is away', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await page.goto('/');
  await page.getByRole('link', { name: 'Feeds' }).click();
  const card = page.getByRole('article', { name: 'sim' });
  await expect(card).toContainText('live');
  await expect(card).toContainText('Events a second');
  await expect(page).toHaveTitle('Feeds · Depthwire');
  expect(trouble).toEqual([]);

  await depthwire.stop();
  await expect(page.getByRole('alert')).toContainText(/the server does not answer; .* old/);
  await expect(card).toBeVisible();
  await depthwire.start();
  await expect(page.getByRole('alert')).toBeHidden();

  await page.reload(); // served by itself, too
  await expect(card).toContainText('live');
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await expect(page.getByTestId('header')).toBeVisible();
});
