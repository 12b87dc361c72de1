"""The usual causes why something does not work on Chameleon, and what to do about each: texts in, a cause out.

The patterns are those of the services' own messages: Blazar and its enforcement of allocations, Nova, Neutron,
Keystone, and the SSH client; the first ones are those that we write ourselves.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cause:
    """What has happened, and what to do; `pattern` is found in what the services say (any case)."""

    name: str
    pattern: str
    happened: str
    remedy: str


HELP: Final = "https://chameleoncloud.org/user/help/"

CAUSES: Final = (
    Cause(
        "no project",
        r"you are in no project",
        "Your account belongs to no project, and everything on Chameleon belongs to one.",
        "Ask your instructor to add your user name to the project of your class. Then log out of Jupyter and in again.",
    ),
    Cause(
        "several projects",
        r"you are in several projects",
        "You are in more than one project, and this notebook has to know which of them is meant.",
        "Write the name of your class's project into project, in the cell of choices at the top. Run that cell and "
        "this one again.",
    ),
    Cause(
        "no user name",
        r"does not say who you are",
        "This Jupyter calls everybody by the same name, so your things could not be told from those of others.",
        "Are you in Chameleon's Jupyter? If so, tell your instructor: the lab needs the variable USER.",
    ),
    Cause(
        "name taken",
        r"another user of your project has taken the name",
        "There is something of this name in your project that another user has made. Nothing was changed.",
        "Tell your instructor: two of you have user names that look the same here.",
    ),
    Cause(
        "models not packed",
        r"the models are not packed",
        "The archive has arrived, but your models are not in it: the object storage on the server does not answer.",
        "In a terminal of Jupyter on your server, type `cd ~/lab && ./lab up minio`. Then run this cell again. Do you "
        "not want the models? Then set delete_unsaved = True in the cell at the top, run it, and go on.",
    ),
    Cause(
        "server switched off",
        r"server status (SHUTOFF|PAUSED|SUSPENDED)",
        "Your server is there, and switched off.",
        "In the dashboard: Compute → Instances, in the menu of your server: Start Instance. Then run this cell again. "
        "The services start again by themselves; Jupyter does when you run the cell that starts it.",
    ),
    Cause(
        "lease failed",
        r"lease .*status ERROR|lease has failed",
        "The lease was granted and then failed on Chameleon's side.",
        "Run this cell again: it removes the failed lease of yours, and asks for a new one. If that fails twice, "
        f"write to {HELP} with the lease's name.",
    ),
    Cause(
        "lease has not started",
        r"lease did not reach|lease .*status PENDING|lease is still pending",
        "The lease was granted, and has not started yet. Usually that takes a minute; when the testbed is busy, more.",
        "Wait for five minutes, and run this cell again: it goes on with the same lease.",
    ),
    Cause(
        "server failed",
        r"server .*status ERROR|moved to status ERROR|server has failed",
        "Chameleon could not start the server.",
        "Run this cell again: it deletes the failed server of yours, and starts another one on the same lease. If"
        f" that fails twice, write to {HELP} with the message above.",
    ),
    Cause(
        "server not found",
        r"server .* (not found|is gone)|could not refresh server: .*(no server found|could not be found|HTTP 404)",
        "The server is not there: it was deleted, or its lease has ended.",
        "Run this notebook again from its top.",
    ),
    Cause(
        "login expired",
        r"requires authentication|HTTP 401|401 client error|unauthorized|invalid_grant|access token",
        "Chameleon does not accept the login of this Jupyter any more; that happens after some hours.",
        "Save the notebook. In the menu: File → Log Out, and log in again. Then File → Hub Control Panel, and in "
        "the list of named servers the one of this lab. Restart the kernel, and run this notebook from its top: "
        "what exists already is found again.",
    ),
    Cause(
        "allocation used up",
        r"would spend [\d.]+ (more )?SUs|not authorized.*SUs|left in user budget",
        "Your project has not enough service units left for this lease: its allocation, or your part of it, is "
        "used up.",
        "Ask the owner of the project (your instructor) for a larger allocation or budget. A shorter lease costs "
        "less: set hours at the top.",
    ),
    Cause(
        "allocation expired",
        r"beyond Chameleon project expiration date|allocation .*expired|no active allocation",
        "The allocation of your project ends before this lease would.",
        "Ask the owner of the project to renew it, or set fewer hours at the top.",
    ),
    Cause(
        "lease too long",
        r"maximum lease duration",
        "This site grants no lease of that length.",
        "Set fewer hours at the top. A lease can be made longer towards its end.",
    ),
    Cause(
        "too early to extend",
        r"can only be extended within",
        "A lease can be made longer only near its end (on Chameleon, in its last 48 hours).",
        "Run this cell again then.",
    ),
    Cause(
        "no machines left",
        r"not enough [\w\s.\-]*(hosts?|instances?|resources?|flavors?)[\w\s.\-]* available"
        r"|no valid host was found",
        "All machines of this kind are taken at the moment.",
        "Look into the flavor calendar (Reservations → Leases → Flavor Calendar in the dashboard) for a free "
        "time, or try again later. The whole lab also runs on your own computer: see notebook 0.",
    ),
    Cause(
        "quota reached",
        r"quota exceeded|quota.* exceeded|exceeded for resources|overquota",
        "Your project may not have more of these at once; others in it have used the rest.",
        "Is something of yours left from last time? Notebook 9 deletes it. Else ask the owner of the project, who"
        f" can ask for a larger quota at {HELP}.",
    ),
    Cause(
        "no floating IP left",
        r"no more (IP addresses|floating)|IpAddressGenerationFailure|ExternalIpAddressExhausted"
        r"|no free floating",
        "The site has no public address left: others hold all of them.",
        "Run this cell again in some minutes: it goes on where it stopped. If it stays so, tell your instructor: "
        "perhaps your project holds addresses that nobody uses.",
    ),
    Cause(
        "key missing",
        r"no such file or directory: .*(id_rsa|id_ed25519|key)|'NoneType' object has no attribute 'name'"
        r"|no key pair|invalid key_name",
        "This Jupyter has no SSH key, so you could not log in on the server.",
        "In a terminal of this Jupyter (File → New → Terminal), type `mkdir -p $(dirname $OS_KEYPAIR_PRIVATE_KEY)`, "
        "then `ssh-keygen -t rsa -m pem -N '' -f $OS_KEYPAIR_PRIVATE_KEY`. Does it ask whether to overwrite a file? "
        "Answer n. Then run this notebook from its top.",
    ),
    Cause(
        "image missing",
        r"no images? found|image.*(not found|could not be found|no image)|no image",
        "The site has no image of this name; from time to time they are replaced by newer ones.",
        "List them: Compute → Images in the dashboard. Write the newest CC-Ubuntu whose name has no addition such"
        " as CUDA or ARM64 into image, at the top, and tell your instructor.",
    ),
    Cause(
        "flavor missing",
        r"no flavors found",
        "The site has no flavor of this name.",
        "Set another one as flavor at the top; it should have 16 GB of memory or more.",
    ),
    Cause(
        "host key changed",
        r"host key .*(does not match|mismatch)|BadHostKey",
        "This address belonged to another server when you logged in there last.",
        "In a terminal of this Jupyter: `ssh-keygen -R A.B.C.D` with the address of your server. Then run this cell"
        " again.",
    ),
    Cause(
        "SSH denied",
        r"authentication failed|permission denied \(publickey|not a valid .*private key"
        r"|no authentication methods",
        "The server knows another SSH key than the one of this Jupyter, for example because you have launched the"
        " lab a second time.",
        "Do not delete the server. In a terminal of this Jupyter, type `cat $OS_KEYPAIR_PUBLIC_KEY` and copy the line "
        "that it prints. Then open Jupyter on your server, in it a terminal, and type "
        "`echo 'THE LINE' >> ~/.ssh/authorized_keys`. Run this cell again. If there is no Jupyter on the server yet, "
        "there is no work of yours on it either: then delete it in the dashboard (Compute → Instances), and run this "
        "notebook from its top.",
    ),
    Cause(
        "SSH refused",
        r"waited too long for the port|connection refused|unable to connect to port|timed out|no route to host"
        r"|error reading SSH protocol banner",
        "The server runs, and does not answer on port 22.",
        "A server needs up to three minutes until it does: run this cell again. If it stays so: is the group "
        "allow-22 among the security groups of the server (Compute → Instances → its name)? Does its log (tab "
        "Log) end with a login line?",
    ),
    Cause(
        "service down",
        r"HTTP 50[0234]|50[0234] server error|service unavailable|bad gateway|gateway time-?out"
        r"|failed to establish a new connection|connection aborted|max retries exceeded",
        "A service of Chameleon does not answer at the moment.",
        "See https://chameleoncloud.org/user/outages/ for a known outage. Then run this cell again: it goes on "
        "where it stopped.",
    ),
)


def cause_of(said: str) -> Cause | None:
    """The first of the usual causes of which these texts speak."""
    return next((cause for cause in CAUSES if re.search(cause.pattern, said, re.IGNORECASE | re.DOTALL)), None)
