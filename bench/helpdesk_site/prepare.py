"""Make the site's tables, one queue ($HELPDESK_QUEUE_EMAIL) and one member of staff with the token $HELPDESK_TOKEN.

`python -m bench.helpdesk_site.prepare` prints the id of the queue.
"""

import os

import django


def main() -> None:
    """Run from the command line."""
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from helpdesk.models import Queue
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0, interactive=False)
    staff = get_user_model().objects.create_superuser("bench")
    Token.objects.create(user=staff, key=os.environ["HELPDESK_TOKEN"])
    queue = Queue.objects.create(
        title="12345", slug="q12345", allow_public_submission=True, email_address=os.environ["HELPDESK_QUEUE_EMAIL"]
    )
    print(queue.pk)


if __name__ == "__main__":
    main()
