"""Programs that stand in for the other side, for trials, tests and rehearsals: true protocols, with faults to switch.

    desk110  the 110 desk          sms   an SMS gateway and an app's push     unit    a unit's own system
    wechat   WeChat's API          grid  the community grid (智网工程)        funasr  a speech recogniser
    oidc     the identity provider of staff
"""
